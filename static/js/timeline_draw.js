// Draws the timeline: time from left to right, a row for each slot, a bar for each attempt.

import { firstFrom } from "./timeline_rows.js";
import { drawMark, drawSpecial } from "./timeline_marks.js";
import { offset, wall } from "./zone.js";
import { workerName } from "./worker_names.js";

export const AXIS = 24; // pixels, above the rows
const FONT = "12px system-ui, sans-serif";
const SMALL = "11px system-ui, sans-serif";
const LABELLED = 46; // pixels from which a bar holds its function's name
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5];
const TICK = 96; // pixels between two times, at least

export const gutterOf = (width) => (width < 560 ? 64 : 116);

// Everything that one drawing needs, and the way from times to pixels.
class Drawing {
  constructor(pen, picture) {
    Object.assign(this, picture, { pen, gutter: gutterOf(picture.width) });
    this.scale = (this.width - this.gutter) / this.view.span;
  }

  x(at) {
    return this.gutter + (at - this.view.from) * this.scale;
  }
}

export function draw(canvas, picture) {
  const ratio = devicePixelRatio;
  const [width, height] = [Math.round(picture.width * ratio), Math.round(picture.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = picture.theme.surface;
  pen.fillRect(0, 0, picture.width, picture.height);
  pen.font = FONT;
  pen.textBaseline = "middle";
  const drawing = new Drawing(pen, picture);
  clipped(drawing, AXIS, () => drawRows(drawing));
  drawGutter(drawing);
  drawAxis(drawing);
}

// What `body` draws stays below `top` and right of the gutter.
function clipped(drawing, top, body) {
  const { pen, gutter, width, height } = drawing;
  pen.save();
  pen.beginPath();
  pen.rect(gutter, top, width - gutter, height - top);
  pen.clip();
  body();
  pen.restore();
}

function drawRows(drawing) {
  const { rows, scroll, height } = drawing;
  drawUnknown(drawing);
  for (const row of rows.rows) {
    const y = AXIS + row.y - scroll;
    if (y + rows.rowHeight < AXIS || y > height) continue;
    drawGround(drawing, y + rows.rowHeight - 0.5);
    drawRow(drawing, row, y + 2, rows.rowHeight - 4);
  }
  for (const mark of drawing.data.annotations) drawAnnotation(drawing, mark);
}

function drawGround({ pen, theme, gutter, width }, y) {
  pen.fillStyle = theme.line;
  pen.fillRect(gutter, y, width - gutter, 0.5);
}

// What was not read, or not completely, is hatched.
function drawUnknown(drawing) {
  const { pen, theme, view, data, width, height, gutter } = drawing;
  const known = data.from === null ? Infinity : Math.max(data.from, data.completeFrom);
  pen.fillStyle = theme.hatch;
  if (known > view.from) pen.fillRect(gutter, AXIS, Math.min(drawing.x(known), width) - gutter, height);
  if (!view.live && data.to !== null && data.to < Math.min(view.to, view.now)) {
    pen.fillRect(drawing.x(data.to), AXIS, drawing.x(Math.min(view.to, view.now)) - drawing.x(data.to), height);
  }
}

function drawRow(drawing, row, y, height) {
  let before = null;
  let marked = -Infinity;
  const { view } = drawing;
  for (let place = Math.max(firstFrom(row.bars, view.from) - 1, 0); place < row.bars.length; place += 1) {
    const bar = row.bars[place];
    if (bar.start > view.to) break;
    const box = boxOf(drawing, bar, y, height);
    drawWaits(drawing, bar, before, row.bars[place + 1], box);
    drawBar(drawing, bar, box);
    if (drawMark(drawing, bar, box, marked)) marked = box.left + box.width;
    before = bar;
  }
}

function boxOf(drawing, bar, y, height) {
  const left = drawing.x(bar.start);
  return { left, y, height, width: Math.max(drawing.x(bar.end ?? drawing.view.now) - left, 1) };
}

// Thin and grey: the slot was free and the task waited; the end was not written yet.
function drawWaits(drawing, bar, before, after, { left, width, y, height }) {
  const { pen, theme } = drawing;
  pen.fillStyle = theme["line-strong"];
  const free = before ? before.end ?? bar.start : -Infinity;
  const lead = drawing.x(Math.max(bar.start - (bar.wait ?? 0) * 1000, free));
  if (left - lead >= 1) pen.fillRect(lead, y + height / 2 - 1, left - lead, 2);
  if (bar.recorded === null) return;
  const tail = drawing.x(Math.min(bar.recorded, after?.start ?? Infinity));
  if (tail - left - width >= 1) pen.fillRect(left + width, y + height / 2 - 1, tail - left - width, 2);
}

function drawBar(drawing, bar, box) {
  const { pen, theme, scale, focused } = drawing;
  const { left, width, y, height } = box;
  pen.fillStyle = theme.colour(bar.name);
  if (!drawSpecial(drawing, bar, box)) pen.fillRect(left, y, width, height);
  pen.fillStyle = theme["line-strong"];
  const [decode, encode] = [bar.decode * 1000 * scale, bar.encode * 1000 * scale];
  if (decode >= 1) pen.fillRect(left, y, decode, height);
  if (encode >= 1 && bar.end !== null) pen.fillRect(left + width - encode, y, encode, height);
  if (width >= LABELLED) drawName(drawing, bar, box);
  if (focused !== bar.key) return;
  pen.strokeStyle = theme.text;
  pen.lineWidth = 2;
  pen.strokeRect(left - 1, y - 1, width + 2, height + 2);
}

function drawName({ pen, theme, gutter, width: edge }, bar, { left, width, y, height }) {
  const start = Math.max(left, gutter) + 5;
  const room = Math.min(left + width, edge) - start - 14; // keeps clear of the mark at its end
  if (room < LABELLED - 14 || bar.look === "abandoned") return;
  pen.save();
  pen.beginPath();
  pen.rect(start, y, room, height);
  pen.clip();
  pen.font = height < 14 ? SMALL : FONT;
  pen.fillStyle = theme.ink(bar.name);
  pen.fillText(bar.name.slice(bar.name.lastIndexOf(".") + 1), start, y + height / 2 + 0.5);
  pen.restore();
}

function drawAnnotation(drawing, { at, kind }) {
  const { pen, theme, height } = drawing;
  const x = Math.round(drawing.x(at / 1000)) + 0.5;
  pen.strokeStyle = ["crash", "broken"].includes(kind) ? theme.failed : theme.dim;
  pen.lineWidth = 1;
  pen.setLineDash([3, 3]);
  pen.beginPath();
  pen.moveTo(x, AXIS);
  pen.lineTo(x, height);
  pen.stroke();
  pen.setLineDash([]);
}

function drawGutter(drawing) {
  const { pen, theme, rows, scroll, gutter, width, height } = drawing;
  pen.fillStyle = theme.line;
  pen.fillRect(gutter - 1, AXIS, 1, height);
  for (const { name, y } of rows.heads) write(drawing, name, AXIS + y - scroll + 11, `600 ${FONT}`, theme.text, width); // no run beside it
  let worker = null;
  for (const row of rows.rows) {
    const y = AXIS + row.y - scroll + rows.rowHeight / 2;
    if (y < AXIS || y > height + rows.rowHeight) continue;
    write(drawing, labelOf(row, worker, gutter), y, rows.rowHeight < 15 ? SMALL : FONT, theme.dim);
    worker = row.worker;
  }
}

function labelOf(row, worker, gutter) {
  if (row.collapsed) return `+ ${row.collapsed}`;
  const name = workerName(row.worker);
  if (row.thread === null) return name;
  if (row.worker === worker) return `#${row.thread}`;
  return gutter < 100 ? name : `${name} #${row.thread}`;
}

function write({ pen, gutter }, text, y, font, colour, end = gutter) {
  pen.font = font;
  pen.fillStyle = colour;
  pen.fillText(fitted(pen, text, end - 14), 8, y);
  pen.font = FONT;
}

// A text without as much of its beginning as there is no room for: names of workers differ at the end.
function fitted(pen, text, room) {
  let start = 0;
  while (start < text.length && pen.measureText(cut(text, start)).width > room) start += 1;
  return cut(text, start);
}

const cut = (text, start) => (start ? `…${text.slice(start)}` : text);

function drawAxis(drawing) {
  const { pen, theme, view, width, scale } = drawing;
  pen.fillStyle = theme.surface;
  pen.fillRect(0, 0, width, AXIS);
  write(drawing, "UTC", AXIS / 2, FONT, theme.dim);
  const step = STEPS.find((each) => each * scale >= TICK) ?? STEPS.at(-1);
  const ahead = offset(view.from);
  for (let at = Math.ceil((view.from + ahead) / step) * step - ahead; at <= view.to; at += step) drawTick(drawing, at, step);
  pen.fillStyle = theme.line;
  pen.fillRect(0, AXIS - 1, width, 1);
  clipped(drawing, 0, () => {
    for (const { at, kind } of drawing.data.annotations) drawFlag(drawing, at / 1000, kind);
  });
}

function drawTick(drawing, at, step) {
  const { pen, theme, width } = drawing;
  const x = drawing.x(at);
  pen.fillStyle = theme.line;
  pen.fillRect(x, AXIS - 6, 1, 6);
  const iso = wall(at);
  const text = step >= 864e5 ? iso.slice(5, 10) : step >= 6e4 ? iso.slice(11, 16) : step >= 1e3 ? iso.slice(11, 19) : iso.slice(14, 23);
  pen.fillStyle = theme.dim;
  if (x + 4 + pen.measureText(text).width < width) pen.fillText(text, x + 4, AXIS / 2);
}

function drawFlag(drawing, at, kind) {
  const { pen, theme } = drawing;
  const x = drawing.x(at);
  pen.fillStyle = ["crash", "broken"].includes(kind) ? theme.failed : theme.dim;
  pen.beginPath();
  pen.moveTo(x - 5, AXIS - 8);
  pen.lineTo(x + 5, AXIS - 8);
  pen.lineTo(x, AXIS);
  pen.fill();
}
