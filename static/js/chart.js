// The chart of what ended in each minute: bars on top of one another, drawn by uPlot.

import { count } from "./formats.js";

const REFRESH_MILLISECONDS = 10_000;
const HEIGHT = 165; // of the drawing, in pixels; its legend stands below
const KINDS = [
  ["succeeded", "--ok"],
  ["failed", "--failed"],
  ["cancelled", "--dim"],
  ["lost", "--lost"],
];
const box = document.getElementById("throughput");
let chart = null;
let counted = null; // the numbers by kind; the bars hold their sums

// A canvas knows no custom properties: let the browser resolve the colour.
function colour(property) {
  const probe = document.createElement("i");
  probe.style.color = `var(${property})`;
  box.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

// Bars stand on one another: each series is the sum of its kind and those below, the tallest drawn first.
function stacked(data) {
  const sums = [];
  let below = data.at.map(() => 0);
  for (const [kind] of KINDS) {
    below = below.map((sum, index) => sum + data[kind][index]);
    sums.unshift(below);
  }
  return [data.at, ...sums];
}

const clock = uPlot.fmtDate("{HH}:{mm}");
const total = (kind) => counted[kind].reduce((sum, number) => sum + number, 0);

function series([kind, property]) {
  const fill = colour(property);
  const value = (_plot, _sum, _series, index) => count(index == null ? total(kind) : counted[kind][index]);
  return { label: kind, value, stroke: fill, fill, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.75, 24] }) };
}

function options() {
  const axis = { stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const whole = (_plot, values) => values.map((value) => (Number.isInteger(value) ? String(value) : ""));
  return {
    width: box.clientWidth - 12,
    height: HEIGHT,
    scales: { x: { range: (_plot, low, high) => [low - 45, high + 45] }, y: { range: (_plot, _low, high) => [0, Math.max(high * 1.1, 4)] } },
    axes: [{ ...axis, size: 30, grid: { show: false }, values: [[300, "{HH}:{mm}", null, null, null, null, null, null, 1]] }, { ...axis, values: whole, size: 46 }],
    series: [{ label: "in", value: (_plot, at) => (at == null ? "the hour" : clock(new Date(at * 1000))) }, ...KINDS.toReversed().map(series)],
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    legend: { isolate: false },
  };
}

function draw() {
  chart?.destroy();
  chart = new uPlot(options(), stacked(counted), box);
}

async function refresh() {
  if (document.hidden) return;
  const response = await fetch(box.dataset.source).catch(() => null);
  if (!response?.ok) return;
  counted = await response.json();
  if (chart) chart.setData(stacked(counted));
  else draw();
}

new ResizeObserver(() => chart?.setSize({ width: box.clientWidth - 12, height: HEIGHT })).observe(box);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart && draw());
addEventListener("themechange", () => chart && draw());
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, REFRESH_MILLISECONDS);
refresh();
