// The chart over time: what is chosen stands in the address; the server is asked anew at each step,
// when something happened to a pool, and when another choice is made.

import { draw, room } from "./chart_drawing.js";
import { markHooks } from "./chart_marks.js";
import { amount } from "./chart_values.js";
import { onFrame } from "./live.js";
import { at } from "./root.js";
import { clock } from "./zone.js";

const SOON = 400; // milliseconds after something happened, so that it is stored
const LEAST_SECONDS = 10; // between two looks
const form = document.getElementById("chart-choice");
const box = document.getElementById("chart");
const choose = (name) => form.elements[name];
let data = read();
let plot = null;
let timer = 0;
let asked = 0; // the latest question: answers to earlier ones are dropped

function read() {
  return JSON.parse(document.getElementById("chart-data").textContent);
}

function redraw() {
  const index = plot?.cursor.idx;
  plot?.destroy();
  plot = data.lines.length ? draw(box, data, { ...markHooks(() => data.marks), setCursor: [showAt] }) : null;
  if (plot && index != null) point(index);
}

// The column of the latest values tells those at the cursor while it is on the chart.
function showAt({ cursor }) {
  const head = document.getElementById("chart-at");
  const index = cursor.idx;
  const isAway = index == null || cursor.left < 0;
  head.textContent = isAway ? head.dataset.latest : clock((data.start + index * data.step) * 1000);
  document.querySelectorAll("#chart-table td[data-latest]").forEach((cell, line) => {
    cell.textContent = isAway ? cell.dataset.latest : amount(data.lines[line].values[index], data.unit);
  });
}

function point(index) {
  const last = plot.data[0].length - 1;
  const left = plot.valToPos(plot.data[0][Math.max(0, Math.min(index, last))], "x");
  plot.setCursor({ left, top: 0 });
}

function address(path) {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  return at(`${path}?${query}`);
}

async function look() {
  const question = (asked += 1);
  const response = await fetch(address("/chart")).catch(() => null);
  const text = response?.ok ? await response.text() : null;
  if (text && question === asked) exchange(new DOMParser().parseFromString(text, "text/html"));
  plan();
}

function exchange(fresh) {
  document.getElementById("chart-drawn").replaceWith(document.adoptNode(fresh.getElementById("chart-drawn")));
  data = read();
  redraw();
}

function plan(milliseconds = Math.max(data.step, LEAST_SECONDS) * 1000) {
  clearTimeout(timer);
  timer = setTimeout(() => !document.hidden && look(), milliseconds);
}

// Not every series is known by function or state.
function offerGroups() {
  const known = choose("series").selectedOptions[0].dataset.groups.split(" ");
  for (const option of choose("by").options) option.disabled = !known.includes(option.value);
  if (!known.includes(choose("by").value)) choose("by").value = "none";
}

form.addEventListener("change", ({ target }) => {
  offerGroups();
  if (["pool", "function"].includes(target.name)) location.assign(address("/"));
  else history.replaceState(null, "", address("/"));
  look();
});

box.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
  if (!plot || !step) return;
  event.preventDefault();
  point((plot.cursor.idx ?? plot.data[0].length - 1) + step);
});
box.addEventListener("blur", () => plot?.setCursor({ left: -10, top: -10 }));

let story = null; // what has happened to the pools, as frames tell it
onFrame(({ pools }) => {
  const now = JSON.stringify(pools.map(({ size, state, incidents, restarts }) => [size, state, incidents, restarts]));
  if (story !== null && now !== story) plan(SOON);
  story = now;
});

new ResizeObserver(() => plot?.setSize(room(box))).observe(box);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
addEventListener("themechange", redraw);
document.addEventListener("visibilitychange", () => document.hidden || look());
redraw();
plan();
