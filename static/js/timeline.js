// The timeline's page: keeps the data, the view and the picture together.

import { Palette, weightsOf } from "./colours.js";
import { duration } from "./formats.js";
import { onFrame } from "./live.js";
import { at } from "./root.js";
import { TimelineCard, secondsOf, sentence } from "./timeline_card.js";
import { TimelineData } from "./timeline_data.js";
import { AXIS, draw, gutterOf } from "./timeline_draw.js";
import { listen } from "./timeline_input.js";
import { TimelineRows } from "./timeline_rows.js";
import { showTables, shownColours } from "./timeline_tables.js";
import { readTheme } from "./timeline_theme.js";
import { TimelineView } from "./timeline_view.js";
import { _ } from "./words.js";
import { offsetName, wall } from "./zone.js";

const SETTLED = 150; // milliseconds after which a moved view is read
const PAUSE = 400; // between two live answers, and where there is much to tell
const LONG_PAUSE = 1500;
const NEAR = 5; // pixels to a bar or a mark that count as being on it

const byId = (id) => document.getElementById(id);
const canvas = byId("timeline");
const plot = byId("timeline-plot");
const { span, from, live, pool, function: chosen } = plot.dataset;
const data = new TimelineData(Object.fromEntries(Object.entries({ pool, function: chosen }).filter(([, name]) => name)));
const view = new TimelineView({ from: Number(from) / 1000, span: Number(span) * 1000, live: live === "true" }, viewChanged);
const card = new TimelineCard(byId("timeline-card"));
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const palette = new Palette(shownColours());
let theme = readTheme(plot, palette);
let rows = new TimelineRows(data, room());
let pointed = null; // where the pointer is
let focused = null; // the bar that the keys are at
let isDue = false;
let drawnAt = null;
let timer = null;
let asking = false;
let stirred = true;
let askedAt = 0;
let shownAt = 0;

function room() {
  return plot.clientHeight - AXIS;
}

// One drawing for each frame of the browser, and only if something is new.
function redraw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    drawnAt = view.from;
    if (performance.now() - shownAt > 1000) showAround();
    draw(canvas, { width: plot.clientWidth, height: plot.clientHeight, scroll: plot.scrollTop, theme, view, data, rows, focused: focused?.key });
    sayRange();
  });
}

function dataChanged() {
  rows = new TimelineRows(data, room());
  canvas.style.height = `${plot.clientHeight}px`;
  canvas.style.marginBottom = `${Math.max(rows.height - room(), 0)}px`;
  shownAt = 0;
  redraw();
}

function inView() {
  return data.bars.filter((bar) => bar.start <= view.to && (bar.end ?? view.now) >= view.from);
}

function showAround() {
  shownAt = performance.now();
  const bars = inView();
  palette.show(weightsOf(bars.map((bar) => [bar.name, secondsOf(bar, view.now)])));
  showTables(bars, palette, view.now, chosen);
  const hidden = rows.rows.reduce((sum, row) => sum + (row.collapsed ?? 0), 0);
  const collapsed = hidden ? _("%(n)s slots of workers that are gone share a row.", { n: hidden }) : "";
  byId("timeline-limits").textContent = [data.limits, collapsed].filter(Boolean).join(" ");
  byId("timeline").dataset.bars = String(data.bars.length);
}

function sayRange() {
  const digits = view.span < 10_000 ? 23 : 19; // to the millisecond, or to the second
  const [from, to] = [view.from, view.to].map((at) => wall(at).slice(0, digits).replace("T", " "));
  const [early, late] = [view.from, view.to].map(offsetName);
  const words = `${from}${early === late ? "" : ` ${early}`} – ${from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to} ${late}`;
  if (byId("timeline-range").textContent !== words) byId("timeline-range").textContent = words;
}

function viewChanged() {
  byId("timeline-live").setAttribute("aria-pressed", String(view.live));
  sayChoice(byId("timeline-form").elements);
  card.hide();
  shownAt = 0;
  redraw();
  clearTimeout(timer);
  timer = setTimeout(read, SETTLED);
}

async function read() {
  const [from, to] = [view.from, view.live ? view.now + 1000 : view.to];
  if (!(await data.load(from, to))) return;
  view.skew = data.skew;
  if (view.from === from || view.live) dataChanged();
}

async function follow() {
  if (asking || !view.live || document.hidden || data.to === null) return;
  const pause = data.limits ? LONG_PAUSE : PAUSE;
  if (performance.now() - askedAt < pause || !(stirred || data.running.length)) return;
  [asking, stirred, askedAt] = [true, false, performance.now()];
  const isNew = await data.follow(view.now - view.span);
  asking = false;
  view.skew = data.skew;
  if (isNew) dataChanged();
}

// The present moves: once it is a pixel further, or with the data where motion is not wanted.
function tick() {
  if (!view.live || document.hidden) return;
  view.advance();
  const pixels = (Math.abs(view.from - drawnAt) / view.span) * (plot.clientWidth - gutterOf(plot.clientWidth));
  if (pixels >= (calm.matches ? 40 : 1)) redraw();
}

function timeAt(x) {
  const gutter = gutterOf(plot.clientWidth);
  return view.from + ((x - gutter) / (plot.clientWidth - gutter)) * view.span;
}

function xOf(at) {
  const gutter = gutterOf(plot.clientWidth);
  return gutter + ((at - view.from) / view.span) * (plot.clientWidth - gutter);
}

function barAt(x, y) {
  const row = rows.rowAt(y - AXIS + plot.scrollTop);
  if (!row || y < AXIS || x < gutterOf(plot.clientWidth)) return null;
  return rows.barAt(row, timeAt(x), timeAt(NEAR) - timeAt(0), view.now) ?? null;
}

function open(bar, event) {
  if (!bar) return;
  if (event?.ctrlKey || event?.metaKey) window.open(at(`/tasks/${bar.task}`), "_blank", "noopener");
  else location.assign(at(`/tasks/${bar.task}`));
}

function bringIntoView(bar) {
  if (bar.start < view.from || bar.start > view.to) view.pan(bar.start - view.from - view.span / 2);
  const row = rows.rows.find((each) => each.bars.some(({ key }) => key === bar.key));
  if (row.y < plot.scrollTop) plot.scrollTop = row.y;
  if (row.y + rows.rowHeight > plot.scrollTop + room()) plot.scrollTop = row.y + rows.rowHeight - room();
  card.showBar(bar, view.now, Math.max(xOf(bar.start), 0), AXIS + row.y - plot.scrollTop);
}

// The fields say what is in view, so that the button shows that and nothing else.
function sayChoice({ span: period, from: since }) {
  const value = String(Number((view.span / 1000).toPrecision(6)));
  period.querySelector("[data-own]")?.remove();
  if (![...period.options].some((each) => each.value === value)) {
    const own = new Option(duration(view.span / 1000), value);
    own.dataset.own = "";
    period.append(own);
  }
  period.value = value;
  if (document.activeElement !== since) since.value = view.live ? "" : wall(view.from).slice(0, 23);
}

// A choice from a list is followed at once, from where the view stands now.
function setUpForm(form) {
  form.addEventListener("change", ({ target }) => {
    if (target.localName !== "select") return;
    form.elements.from.value = view.live ? "" : wall(view.from).slice(0, 23);
    form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    for (const each of form.elements) each.disabled = each.name !== "" && (!each.value || (each.name === "zone" && !form.elements.from.value));
  });
}

listen(canvas, {
  scrolls: () => plot.scrollHeight > plot.clientHeight + 1,
  pan: (share) => view.pan(share * view.span),
  zoom: (factor, x) => view.zoom(factor, x === undefined ? undefined : timeAt(x)),
  toggle: () => view.follow(!view.live),
  open: () => open(focused),
  click: (event) => open(barAt(event.offsetX, event.offsetY), event),
  hover(x, y) {
    pointed = barAt(x, y);
    canvas.toggleAttribute("data-over", Boolean(pointed));
    const marks = y < AXIS ? data.annotations.filter((mark) => Math.abs(xOf(mark.at / 1000) - x) <= NEAR) : [];
    if (pointed) card.showBar(pointed, view.now, x, y);
    else if (marks.length) card.showWords(marks.map((mark) => mark.words), x, y);
    else card.hide();
  },
  leave() {
    focused = null;
    card.hide();
    redraw();
  },
  go(along, down) {
    if (view.live) view.follow(false);
    focused = rows.neighbour(focused, along, down);
    if (!focused) return;
    bringIntoView(focused);
    byId("timeline-said").textContent = sentence(focused, view.now);
    redraw();
  },
});

// A wrong address is not handed on by the links of this page.
if (byId("problem")) history.replaceState(history.state, "", at("/timeline"));
byId("timeline-live").addEventListener("click", () => view.follow(!view.live));
byId("timeline-earlier").addEventListener("click", () => view.pan(-view.span / 2));
byId("timeline-later").addEventListener("click", () => view.pan(view.span / 2));
byId("timeline-in").addEventListener("click", () => view.zoom(0.5));
byId("timeline-out").addEventListener("click", () => view.zoom(2));
byId("timeline-buttons").hidden = false;
setUpForm(byId("timeline-form"));

onFrame(({ changed }) => {
  stirred ||= changed === null || changed.length > 0;
});
plot.addEventListener("scroll", redraw);
new ResizeObserver(dataChanged).observe(plot);
for (const [target, name] of [[globalThis, "themechange"], [matchMedia("(prefers-color-scheme: dark)"), "change"]]) {
  target.addEventListener(name, () => {
    theme = readTheme(plot, palette);
    redraw();
  });
}
document.addEventListener("visibilitychange", () => !document.hidden && view.live && read());
setInterval(follow, 100);
(function everyFrame() {
  tick();
  requestAnimationFrame(everyFrame);
})();
read();
