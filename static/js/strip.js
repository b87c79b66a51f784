// The strip of numbers and the notices, as frames tell them.

import { NOTHING, count } from "./formats.js";
import { onFrame } from "./live.js";
import { at } from "./root.js";
import { countFrom, tickFrom } from "./ticking.js";

const field = (name, within = document) => within.querySelector(`[data-field="${name}"]`);
const tidy = (element) => element.textContent.replace(/\s+/g, " ").trim();
const words = (item) => `${tidy(field("subject", item))} ${tidy(field("text", item))}`; // not its countdown

function showNumber(name, number) {
  const element = field(name);
  element.textContent = count(number);
  element.closest("a").toggleAttribute("data-zero", number === 0);
}

function countDown(item, left) {
  field("left", item).hidden = left == null;
  countFrom(field("left", item).querySelector("[data-remaining]"), left ?? 0);
}

function notice({ kind, subject, text, href }) {
  const item = document.getElementById("notice-template").content.firstElementChild.cloneNode(true);
  item.dataset.kind = item.querySelector(".mark").dataset.state = kind;
  field("subject", item).textContent = subject;
  field("subject", item).href = at(href);
  field("text", item).textContent = text;
  return item;
}

function showNotices(notices) {
  const list = document.getElementById("notices");
  const shown = [...list.children];
  const due = notices.map(notice);
  const isSaid = due.length === shown.length && due.every((item, index) => words(item) === words(shown[index]));
  if (!isSaid) list.replaceChildren(...due); // not again and again, since it is read out
  notices.forEach(({ left }, index) => countDown(list.children[index], left));
}

onFrame((frame) => {
  for (const state of ["running", "queued", "scheduled"]) {
    showNumber(`counts.${state}`, frame.counts[state] ?? 0);
  }
  for (const state of ["succeeded", "failed", "lost"]) {
    showNumber(`window.${state}`, frame.window[state]);
  }
  showNumber("incidents", frame.incidents);
  tickFrom(field("oldest_wait"), frame.oldest_wait, NOTHING);
  showNotices(frame.notices);
});
