// Times that pass: elements with data-elapsed (seconds, when it was set) count up while the server
// is heard, those with data-remaining count down, and data-ago (of a time element, or with the time as its value) says how long ago it was.

import { ago, duration } from "./formats.js";
import { onState } from "./live.js";

const starts = new WeakMap(); // element → [the data-elapsed it was made from, when 0 was]
const ends = new WeakMap(); // element → when its countdown is over
let heard = true;

// Lets `element` count up from `seconds`, or say `otherwise` where there is nothing to count.
export function tickFrom(element, seconds, otherwise) {
  starts.delete(element);
  if (seconds == null) {
    delete element.dataset.elapsed;
    element.textContent = otherwise;
  } else {
    element.dataset.elapsed = seconds;
    tick(element);
  }
}

function elapsed(element) {
  const given = element.dataset.elapsed;
  if (starts.get(element)?.[0] !== given) {
    starts.set(element, [given, performance.now() - Number(given) * 1000]);
  }
  return (performance.now() - starts.get(element)[1]) / 1000;
}

function tick(element) {
  const seconds = elapsed(element);
  element.textContent = duration(seconds);
  const bar = element.nextElementSibling;
  if (bar?.dataset.usual) {
    const share = seconds / Number(bar.dataset.usual);
    bar.value = Math.min(share, 1);
    bar.toggleAttribute("data-over", share > 1);
  }
}

// Lets `element` count down from `seconds` to nothing.
export function countFrom(element, seconds) {
  ends.set(element, performance.now() + 1000 * seconds);
  element.dataset.remaining = seconds;
  countDown(element);
}

function countDown(element) {
  if (!ends.has(element)) ends.set(element, performance.now() + 1000 * Number(element.dataset.remaining));
  element.textContent = duration(Math.max(0, Math.round((ends.get(element) - performance.now()) / 1000)));
}

// Has all of them say how it is now: what has just come to the page says the same as the rest.
export function catchUp() {
  tickAll();
  sayAgo();
}

function tickAll() {
  if (!heard) return;
  document.querySelectorAll("[data-elapsed]").forEach(tick);
  document.querySelectorAll("[data-remaining]").forEach(countDown);
}

function sayAgo() {
  const now = Date.now();
  for (const each of document.querySelectorAll("[data-ago]")) {
    const words = ago(Date.parse(each.dataset.ago || each.dateTime), now);
    if (each.textContent !== words) each.textContent = words;
  }
}

onState((state) => {
  heard = state === "live";
});
setInterval(tickAll, 200);
setInterval(sayAgo, 200);
