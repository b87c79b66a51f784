// The keyboard: `?` lists the keys, `/` goes to the search, `g` and a letter to a page, `j` and `k`
// through a list, and any element with data-key is pressed by its key. Never while somebody types.

import { at } from "./root.js";

const SEARCH = "main input[name=q], #search";
const PATIENCE = 1500; // milliseconds for the letter after `g`
const list = document.getElementById("keys");
let awaitsPage = 0; // until when, in milliseconds of the page's clock

const actions = {
  "?": () => list.showModal(),
  "/": search,
  g: () => {
    awaitsPage = performance.now() + PATIENCE;
  },
  j: () => move(1),
  k: () => move(-1),
};

function search() {
  const box = document.querySelector(SEARCH);
  if (box) box.select();
  else location.assign(at("/tasks#search"));
}

// The focus goes from row to row, so that Enter opens what is shown as chosen.
function move(step) {
  const rows = [...document.querySelectorAll("main .list tbody tr, main [data-row]")];
  const links = rows.map((row) => row.querySelector("a[href]:not(.only)")).filter(Boolean);
  const at = links.findIndex((link) => link.closest("tr, [data-row]").contains(document.activeElement));
  const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step;
  links[Math.min(Math.max(next, 0), links.length - 1)]?.focus();
}

function pressed(key) {
  const element = document.querySelector(`main [data-key="${CSS.escape(key)}"]`);
  element?.click();
  return Boolean(element);
}

function act(key) {
  const page = performance.now() < awaitsPage && document.querySelector(`.nav [data-go="${CSS.escape(key)}"]`);
  awaitsPage = 0;
  if (page) page.click();
  else if (Object.hasOwn(actions, key)) actions[key]();
  else return pressed(key);
  return true;
}

const isTyping = (element) => element.closest("input:not([type=checkbox]), select, textarea, [contenteditable], dialog");

document.addEventListener("keydown", (event) => {
  const { key, target, ctrlKey, metaKey, altKey, isComposing } = event;
  if (ctrlKey || metaKey || altKey || isComposing || key.length > 1) return;
  if (!isTyping(target) && act(key)) event.preventDefault();
});

const hint = document.getElementById("keys-hint");
hint.hidden = false;
hint.addEventListener("click", () => list.showModal());
if (location.hash === "#search") document.querySelector(SEARCH)?.focus();
