// One drawing of an experiment: values by size, on an axis where each doubling is as far as the next.

import { _ } from "./words.js";
import { colour, room } from "./chart_drawing.js";
import { amount } from "./chart_values.js";
import { rate } from "./formats.js";

const HEADROOM = 1.22; // above the highest value, for the words at the knees
const DASHES = { law: [6, 4], before: [2, 4], tail: [3, 3] };

// As `call_time` in app/pooldeck_server/web/text/formats.py: few milliseconds with parts of them.
function worded(value, unit) {
  if (value === 0) return "0";
  return unit === "s" && value < 0.01 ? _("%(n)s ms", { n: rate(1000 * value) }) : amount(value, unit);
}

// uPlot wants all lines at the same places: those of any of them, with gaps that are spanned.
function columns(lines) {
  const sizes = [...new Set(lines.flatMap(({ points }) => points.map(([size]) => size)))].sort((a, b) => a - b);
  const byLine = lines.map(({ points }) => new Map(points));
  return [sizes, ...byLine.map((values) => sizes.map((size) => values.get(size) ?? null))];
}

function series(box, { kind, is_hollow: isHollow, style }) {
  const line = colour(box, kind);
  const fill = isHollow ? colour(box, "surface") : line;
  const points = style ? { show: false } : { show: true, size: 8, width: 2, stroke: line, fill };
  return { stroke: line, width: style ? 1.5 : 2, dash: DASHES[style], points, spanGaps: true };
}

// The sizes that were measured, as far as their numbers have room beside one another.
function ticks(lines, width) {
  const measured = [...new Set(lines.filter(({ style }) => !style).flatMap(({ points }) => points.map(([size]) => size)))].sort((a, b) => a - b);
  const apart = (measured.length * 34) / Math.max(width, 1);
  return measured.filter((_size, index) => index % Math.max(1, Math.ceil(apart)) === 0);
}

function axes(box, lines, unit) {
  const look = { stroke: colour(box, "dim"), grid: { stroke: colour(box, "line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const words = (_plot, values) => values.map((value) => worded(value, unit));
  return [
    { ...look, size: 28, grid: { show: false }, splits: (plot) => ticks(lines, plot.width), values: (_plot, at) => at },
    { ...look, size: 74, space: 36, values: words },
  ];
}

function kneeMarks(plot, lines) {
  plot.over.querySelectorAll(".knee-mark").forEach((each) => each.remove());
  for (const { kind, knee } of lines) {
    if (knee == null) continue;
    const left = plot.valToPos(knee, "x");
    const mark = document.createElement("div");
    mark.className = "knee-mark";
    mark.dataset.kind = kind;
    if (left > plot.over.clientWidth / 2) mark.dataset.side = "left";
    mark.style.left = `${left}px`;
    mark.append(Object.assign(document.createElement("span"), { textContent: _("knee %(size)s", { size: knee }) }));
    plot.over.append(mark);
  }
}

// Draws `lines`: [{kind, style, knee, points: [[size, value]]}]; `at` is told the size at the cursor.
export function curve(box, lines, unit, at) {
  const drawn = lines.filter(({ points }) => points.length);
  const sizes = columns(drawn)[0];
  const measured = new Set(ticks(drawn, Infinity));
  const tell = ({ cursor, data }) => at(cursor.idx != null && cursor.left >= 0 && measured.has(data[0][cursor.idx]) ? data[0][cursor.idx] : null);
  const show = (plot) => kneeMarks(plot, drawn);
  const options = {
    ...room(box),
    scales: {
      x: { time: false, distr: 3, log: 2, range: () => [sizes[0] / 1.2, sizes.at(-1) * 1.2] },
      y: { range: (_plot, _low, high) => [0, HEADROOM * (high || 1)] },
    },
    axes: axes(box, drawn, unit),
    series: [{}, ...drawn.map((line) => series(box, line))],
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    legend: { show: false },
    hooks: { ready: [show], setSize: [show], setCursor: [tell] },
  };
  return new uPlot(options, columns(drawn), box);
}
