// Draws what an experiment found, anew whenever the page is exchanged while it runs. A row of the
// table is marked while the cursor is at its size.

import { curve } from "./experiment_curve.js";
import { room } from "./chart_drawing.js";

const boxes = ["throughput-chart", "time-chart"].map((id) => document.getElementById(id));
let shown = ""; // the data that is drawn
let plots = [];

function read() {
  return document.getElementById("experiment-data").textContent;
}

function markRow(size) {
  for (const row of document.querySelectorAll(".sizes-table tr[data-size]")) {
    row.toggleAttribute("data-at", row.dataset.size === String(size));
  }
}

function lines(kinds) {
  const throughput = kinds.flatMap(({ kind, sizes, throughput: values, law, before, knee }) => [
    { kind, knee, points: sizes.map((size, index) => [size, values[index]]) },
    { kind, style: "law", points: law },
    { kind, style: "before", points: before },
  ]);
  const time = kinds.flatMap(({ kind, sizes, p50, p95 }) => [
    { kind, points: sizes.map((size, index) => [size, p50[index]]) },
    { kind, style: "tail", points: sizes.map((size, index) => [size, p95[index]]) },
  ]);
  return [throughput, time];
}

function redraw() {
  shown = read();
  plots.forEach((plot) => plot.destroy());
  const { kinds } = JSON.parse(shown);
  const [throughput, time] = lines(kinds);
  plots = kinds.length ? [curve(boxes[0], throughput, "per s", markRow), curve(boxes[1], time, "s", markRow)] : [];
}

function follow() {
  if (read() !== shown) redraw();
}

if (boxes[0]) {
  new ResizeObserver(() => plots.forEach((plot, index) => plot.setSize(room(boxes[index])))).observe(boxes[0]);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("themechange", redraw);
  document.addEventListener("exchanged", follow);
  redraw();
}
