// Completes the word that is being typed in the search box, by the pattern of an ARIA combobox.
// Taking a completion makes it a filter at once; Enter without one searches for what was typed.

import { _ } from "./words.js";

const PAUSE = 120; // milliseconds without a key before the server is asked
const input = document.getElementById("search");
const list = document.createElement("ul");
let timer = 0;
let asked = 0; // numbers the questions: an answer that comes late is dropped
let active = -1;

function word() {
  const before = input.value.slice(0, input.selectionStart);
  return before.match(/(?:[^\s"]|"[^"]*"?)*$/)[0];
}

function option({ kind, value, word: full }, index) {
  const item = document.createElement("li");
  const label = document.createElement("span");
  Object.assign(label, { className: "dim", textContent: _(kind) });
  Object.assign(item, { id: `completion-${index}`, role: "option", ariaSelected: "false" });
  item.dataset.word = full;
  item.append(label, value);
  return item;
}

function close() {
  clearTimeout(timer);
  asked += 1;
  list.hidden = true;
  active = -1;
  input.ariaExpanded = "false";
  input.removeAttribute("aria-activedescendant");
}

function open(found) {
  close();
  list.replaceChildren(...found.map(option));
  list.hidden = found.length === 0;
  input.ariaExpanded = String(found.length > 0);
}

async function ask() {
  const typed = word();
  if (!typed) return close();
  const question = (asked += 1);
  const answer = await fetch(`${input.dataset.source}?q=${encodeURIComponent(typed)}`).catch(() => null);
  const found = answer?.ok ? await answer.json() : [];
  if (question === asked && document.activeElement === input) open(found);
}

function mark(index) {
  list.children[active]?.setAttribute("aria-selected", "false");
  active = (index + list.children.length) % list.children.length;
  const item = list.children[active];
  item.ariaSelected = "true";
  item.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", item.id);
}

function take(item) {
  const end = input.selectionStart;
  const start = end - word().length;
  input.value = `${input.value.slice(0, start)}${item.dataset.word}${input.value.slice(end)}`;
  close();
  input.form.requestSubmit();
}

input.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE);
});
input.addEventListener("keydown", (event) => {
  if (list.hidden || event.isComposing) return;
  if (event.key === "Escape") close();
  else if (event.key === "ArrowDown") mark(active + 1);
  else if (event.key === "ArrowUp") mark(active < 0 ? -1 : active - 1);
  else if (event.key === "Enter" && active >= 0) take(list.children[active]);
  else return;
  event.preventDefault();
});
input.addEventListener("blur", close);
list.addEventListener("pointerdown", (event) => {
  event.preventDefault(); // the box keeps the focus
  const item = event.target.closest("li");
  if (item) take(item);
});

Object.assign(list, { id: "completions", className: "completions", role: "listbox", hidden: true, ariaLabel: _("Completions") });
Object.assign(input, { role: "combobox", ariaExpanded: "false", ariaAutoComplete: "list" });
input.setAttribute("aria-controls", list.id);
input.after(list);
