// Keeps the rows of the list in their places while the mouse rests on one or a box is ticked: what is
// pressed is what was meant. What is told of these rows stays true; how many are new is said.

import { replace } from "./refresh.js";
import { ngettext } from "./words.js";

const news = document.getElementById("list-news");
const button = news.querySelector("button");
let fresh = null; // the list as it would be
let rests = false; // the mouse, on a row: cells that are exchanged under it do not count as left

const list = () => document.getElementById("task-list");
const rows = (part) => [...part.querySelectorAll("tr[data-row-id]")];

function isHeld(part) {
  return rows(part).length > 0 && (rests || Boolean(part.querySelector("input[name=id]:checked")));
}

function take() {
  if (!fresh) return;
  const part = fresh;
  fresh = null;
  news.hidden = true;
  replace(list(), part);
}

function keep(part) {
  fresh = document.adoptNode(part);
  const known = new Map(rows(list()).map((row) => [row.dataset.rowId, row]));
  let added = 0;
  for (const row of rows(fresh)) {
    const old = known.get(row.dataset.rowId);
    if (old) renew(old, row);
    else added += 1;
  }
  news.hidden = added === 0;
  button.textContent = ngettext("%(num)s new task", "%(num)s new tasks", added);
}

// Exchanges what a row says, but for its box and what somebody is at.
function renew(old, row) {
  [...row.cells].forEach((cell, place) => {
    const before = old.cells[place];
    const isSame = !before || before.isEqualNode(cell) || before.querySelector("input") || before.contains(document.activeElement);
    if (!isSame) before.replaceWith(cell.cloneNode(true));
  });
}

function release() {
  if (fresh && !isHeld(list())) take();
}

document.addEventListener("exchanging", (event) => {
  if (event.target.id !== "task-list") return;
  if (isHeld(event.target)) {
    keep(event.detail);
    event.preventDefault();
  } else {
    fresh = null;
    news.hidden = true;
  }
});
function notice(is) {
  rests = is;
  if (!is) release();
}

document.addEventListener("pointerover", ({ target, pointerType }) => {
  notice(pointerType === "mouse" && Boolean(target.closest("#task-list tbody")));
});
document.documentElement.addEventListener("pointerleave", () => notice(false));
document.addEventListener("change", release);
button.addEventListener("click", take);
