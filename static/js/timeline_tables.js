// The legend of functions and the table of the longest runs in view: clones of what the server renders.

import { count, duration } from "./formats.js";
import { at } from "./root.js";
import { stateWord } from "./state_words.js";
import { cpuOf, secondsOf, slotOf } from "./timeline_card.js";
import { wall } from "./zone.js";

const LONGEST = 15;
const byId = (id) => document.getElementById(id);
const clone = (id) => byId(id).content.firstElementChild.cloneNode(true);
const field = (element, name) => element.querySelector(`[data-field="${name}"]`);

function legendEntry(name, number, colour, chosen) {
  const item = clone("timeline-entry");
  const link = item.querySelector("a");
  const query = new URLSearchParams(location.search);
  if (name === chosen) query.delete("function");
  else query.set("function", name);
  link.href = at(`/timeline?${query}`);
  link.dataset.function = name;
  link.toggleAttribute("aria-current", name === chosen);
  if (name === chosen) link.setAttribute("aria-current", "true");
  item.querySelector(".swatch").dataset.fn = colour;
  field(item, "function").textContent = name;
  field(item, "count").textContent = count(number);
  return item;
}

function row(bar, colour, now) {
  const item = clone("timeline-row");
  const mark = item.querySelector(".mark");
  mark.dataset.state = mark.parentElement.dataset.state = bar.look;
  mark.nextSibling.textContent = stateWord(bar.look);
  item.querySelector(".swatch").dataset.fn = colour;
  const link = field(item, "function");
  link.href = at(`/tasks/${bar.task}`);
  link.textContent = bar.name;
  field(item, "slot").textContent = slotOf(bar);
  field(item, "start").textContent = wall(bar.start).slice(11, 23);
  field(item, "wait").textContent = duration(bar.wait);
  field(item, "run").textContent = duration(secondsOf(bar, now));
  field(item, "cpu").textContent = cpuOf(bar, now);
  return item;
}

// The colours that the server has given to functions.
export function shownColours() {
  return [...byId("timeline-legend").querySelectorAll("[data-function]")].map((link) => [link.dataset.function, link.querySelector(".swatch").dataset.fn]);
}

// Shows the functions and the longest of `bars` in the colours of palette; a link that has the focus keeps it.
export function showTables(bars, palette, now, chosen) {
  const focused = document.activeElement?.closest("#timeline-legend, #timeline-longest") && document.activeElement.getAttribute("href");
  const counted = new Map(chosen ? [[chosen, 0]] : []);
  for (const { name } of bars) counted.set(name, (counted.get(name) ?? 0) + 1);
  const names = [...counted.keys()].sort();
  byId("timeline-legend").replaceChildren(...names.map((name) => legendEntry(name, counted.get(name), palette.of(name), chosen)));
  const longest = bars.sort((one, other) => secondsOf(other, now) - secondsOf(one, now)).slice(0, LONGEST);
  byId("timeline-longest").tBodies[0].replaceChildren(...longest.map((bar) => row(bar, palette.of(bar.name), now)));
  byId("timeline-longest").hidden = !longest.length;
  byId("timeline-empty").hidden = longest.length > 0;
  if (focused) byId("main").querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
