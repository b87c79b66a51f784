// The strip of numbers, as frames tell it.

import { NOTHING, count } from "./formats.js";
import { onFrame } from "./live.js";
import { tickFrom } from "./ticking.js";

const field = (name, within = document) => within.querySelector(`[data-field="${name}"]`);

function showNumber(name, number) {
  const element = field(name);
  element.textContent = count(number);
  element.closest("a").toggleAttribute("data-zero", number === 0);
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
});
