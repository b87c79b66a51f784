// What was done and happened, as vertical marks over a chart; what they mean shows on hover and focus.

import { at } from "./root.js";
import { clock } from "./zone.js";

const TOGETHER = 9; // pixels: nearer marks become one

// Marks that are too near each other to be told apart, together: [{left, marks}].
function clusters(plot, marks) {
  const found = [];
  for (const mark of marks) {
    const left = plot.valToPos(mark.at, "x");
    if (left < 0 || left > plot.over.clientWidth) continue;
    if (found.length && left - found.at(-1).left < TOGETHER) found.at(-1).marks.push(mark);
    else found.push({ left, marks: [mark] });
  }
  return found;
}

const SERIOUS = ["crash", "broken", "kill_worker", "end_host", "kill_task", "hold", "shared_lost"];

function element({ left, marks }) {
  const link = document.createElement(marks.some((mark) => mark.href) ? "a" : "span");
  const main = marks.find((mark) => SERIOUS.includes(mark.kind)) ?? marks[0];
  link.className = "chart-mark";
  link.dataset.kind = main.kind;
  link.style.left = `${left}px`;
  const href = main.href ?? marks.find((mark) => mark.href)?.href;
  if (href) link.href = at(href);
  link.tabIndex = -1; // the list below the chart says the same, in order, to the keyboard
  link.setAttribute("aria-hidden", "true");
  link.dataset.note = marks.map((mark) => `${clock(mark.at * 1000)} ${mark.text}`).join("\n");
  return link;
}

function note(plot, mark) {
  const box = document.createElement("div");
  box.className = "chart-note";
  box.append(...mark.dataset.note.split("\n").map((line) => Object.assign(document.createElement("div"), { textContent: line })));
  plot.over.append(box);
  const left = parseFloat(mark.style.left);
  box.style.left = `${Math.max(0, Math.min(left + 10, plot.over.clientWidth - box.offsetWidth))}px`;
}

// Hooks of uPlot that keep `marks()` drawn.
export function markHooks(marks) {
  const show = (plot) => {
    plot.over.querySelectorAll(".chart-mark, .chart-note").forEach((each) => each.remove());
    plot.over.append(...clusters(plot, marks()).map(element));
  };
  const listen = (plot) => {
    plot.over.addEventListener("mouseover", ({ target }) => {
      plot.over.querySelector(".chart-note")?.remove();
      if (target.matches(".chart-mark")) note(plot, target);
    });
  };
  return { ready: [listen, show], setScale: [show], setSize: [show] };
}
