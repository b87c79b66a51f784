// Views that somebody keeps in this browser: a name, and the address that is the view.

import { at } from "./root.js";
import { _ } from "./words.js";

const KEY = "pooldeck-views";
const list = document.getElementById("saved-views");
const save = document.getElementById("save-view");
const form = document.getElementById("name-view");
const name = document.getElementById("view-name");

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((each) => each?.name && each.query != null) : [];
  } catch {
    return []; // not ours, or storage is switched off
  }
}

// The address without what belongs to this moment: the page of the list, what was done.
function query() {
  const kinds = ["state", "function", "pool", "tag", "error", "group", "pipeline", "q", "since", "until", "sort", "columns"];
  const all = new URLSearchParams(location.search);
  return String(new URLSearchParams([...all].filter(([key, value]) => kinds.includes(key) && value)));
}

function chip(view) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const remove = document.createElement("button");
  item.className = "saved";
  Object.assign(link, { className: "chip", href: at(`/tasks?${view.query}`), textContent: view.name });
  if (view.query === query()) link.ariaCurrent = "page";
  Object.assign(remove, { type: "button", textContent: "×", ariaLabel: _("Remove the view %(name)s", { name: view.name }) });
  remove.addEventListener("click", () => keep(kept().filter((each) => each.name !== view.name)));
  item.append(link, remove);
  return item;
}

function show() {
  const views = kept();
  list.replaceChildren(...views.map(chip));
  list.hidden = views.length === 0;
}

function keep(views) {
  localStorage.setItem(KEY, JSON.stringify(views));
  show();
}

function ask(is) {
  form.hidden = !is;
  save.hidden = is;
  (is ? name : save).focus();
}

save.addEventListener("click", () => ask(true));
document.getElementById("save-not").addEventListener("click", () => ask(false));
form.addEventListener("keydown", (event) => event.key === "Escape" && ask(false));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const others = kept().filter((each) => each.name !== name.value.trim());
  if (name.value.trim()) keep([...others, { name: name.value.trim(), query: query() }]);
  form.reset();
  ask(false);
});
addEventListener("storage", (event) => event.key === KEY && show());
save.hidden = false;
show();
