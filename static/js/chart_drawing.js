// Draws a chart with uPlot: lines in the colours of the style sheets, time along the bottom.

import { amount } from "./chart_values.js";
import { dayAndMinute, wall, zone } from "./zone.js";

const DASHES = [[], [7, 4], [2, 3]];
const INCREMENTS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => 60 * minutes); // between times on the axis
const LEGIBLE = { s: 0.001, share: 0.01, percent: 1, bytes: 1024 }; // the least height of the chart, by unit

// A canvas knows no custom properties: let the browser resolve the colour.
export function colour(box, property) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${property})`;
  box.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function columns({ start, step, lines }) {
  const points = lines[0]?.values.length ?? 0;
  const at = Array.from({ length: points }, (_value, index) => start + index * step);
  return [at, ...lines.map((line) => line.values)];
}

function stroke(box, { colour: property, dash }, isAlone) {
  const line = colour(box, property);
  const fill = isAlone ? line.replace("rgb(", "rgba(").replace(")", ", 0.1)") : undefined;
  const points = { size: 5, width: 0, fill: line, filter: alone };
  return { stroke: line, fill, width: 1.75, dash: DASHES[Math.min(dash, 2)], points, spanGaps: false };
}

// Only a value between gaps is drawn as a point: a line cannot show it.
function alone(plot, line) {
  const values = plot.data[line];
  return values.flatMap((value, index) => (value != null && values[index - 1] == null && values[index + 1] == null ? [index] : []));
}

function axes(box, unit) {
  const look = { stroke: colour(box, "dim"), grid: { stroke: colour(box, "line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const words = (_plot, values) => values.map((value) => (value === 0 ? "0" : amount(value, unit)));
  return [
    { ...look, size: 28, grid: { show: false }, incrs: INCREMENTS },
    { ...look, size: 74, space: 36, values: words, splits: unit === "bytes" ? powerSplits : undefined },
  ];
}

// Round numbers of bytes, not of thousands of them.
function powerSplits(_plot, _axis, _low, high) {
  const step = 2 ** Math.ceil(Math.log2(Math.max(high, 1) / 5));
  return Array.from({ length: Math.floor(high / step) + 1 }, (_value, index) => index * step);
}

function timeWords({ start, step, lines }) {
  const days = (step * (lines[0]?.values.length ?? 0)) / 86_400;
  return days > 1.5 ? dayAndMinute : (at) => wall(at).slice(11, 16);
}

export function draw(box, data, hooks) {
  const [time, values] = axes(box, data.unit);
  const words = timeWords(data);
  const options = {
    ...room(box),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    scales: { x: { range: () => [data.start, data.until] }, y: { range: (_plot, _low, high) => [0, Math.max(1.08 * (high ?? 0), LEGIBLE[data.unit] ?? 1)] } },
    axes: [{ ...time, space: data.step > 300 ? 110 : 70, values: (_plot, at) => at.map((each) => words(each * 1000)) }, values],
    series: [{}, ...data.lines.map((line) => stroke(box, line, data.lines.length === 1))],
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 6 } },
    legend: { show: false },
    hooks,
  };
  return new uPlot(options, columns(data), box);
}

export function room(box) {
  const style = getComputedStyle(box);
  const inside = (start, end, whole) => whole - parseFloat(style[start]) - parseFloat(style[end]);
  return {
    width: inside("paddingLeft", "paddingRight", box.clientWidth),
    height: inside("paddingTop", "paddingBottom", box.clientHeight),
  };
}
