// The deck: fills the markup that the server rendered, or clones of it, with what a frame tells.

import { NOTHING, count, percent, size } from "./formats.js";
import { onFrame } from "./live.js";
import { tickFrom } from "./ticking.js";

const blankWorker = document.getElementById("worker-template").content.firstElementChild;
const blankSlot = document.getElementById("slot-template").content.firstElementChild;
const field = (element, name) => element.querySelector(`[data-field="${name}"]`);

function say(element, name, text) {
  const target = field(element, name);
  if (target.textContent !== text) target.textContent = text;
}

function slotState(worker, slot) {
  if (slot.abandoned) return "abandoned";
  if (slot.task != null) return slot.cancel_requested ? "asked" : "busy";
  return ["starting", "stopping"].includes(worker.state) ? worker.state : "idle";
}

function fillSlot(element, worker, slot, number) {
  const state = slotState(worker, slot);
  element.dataset.state = state;
  element.querySelector(".mark").dataset.state = state;
  say(element, "slot.number", String(number));
  say(element, "slot.word", state);
  fillTask(field(element, "slot.task"), slot);
  fillUsual(field(element, "slot.usual"), slot);
  tickFrom(field(element, "slot.elapsed"), slot.elapsed, "");
}

function fillTask(link, { task, function: name }) {
  link.hidden = task == null;
  if (link.hidden) return;
  link.href = `/tasks/${task}`;
  link.title = name;
  link.textContent = name.split(".").at(-1);
}

function fillUsual(bar, { usual_p50: usual }) {
  bar.hidden = !usual;
  bar.dataset.usual = usual || "";
}

function fillSlots(list, worker) {
  while (list.children.length < worker.slots.length) list.append(blankSlot.cloneNode(true));
  while (list.children.length > worker.slots.length) list.lastElementChild.remove();
  worker.slots.forEach((slot, index) => fillSlot(list.children[index], worker, slot, index + 1));
}

function fillWorker(element, worker) {
  element.dataset.worker = worker.id;
  element.dataset.state = worker.state;
  say(element, "worker.id", worker.id);
  say(element, "worker.state", worker.state);
  say(element, "worker.cpu", percent(worker.cpu_percent));
  say(element, "worker.rss", size(worker.rss_bytes));
  say(element, "worker.done", count(worker.tasks_done));
  fillSlots(element.querySelector("[data-slots]"), worker);
}

// Workers keep their element as long as they live, so that focus and hover stay where they are.
function fillWorkers(list, workers) {
  const present = new Map([...list.children].map((element) => [element.dataset.worker, element]));
  workers.forEach((worker, index) => {
    const element = present.get(worker.id) ?? blankWorker.cloneNode(true);
    present.delete(worker.id);
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
    fillWorker(element, worker);
  });
  present.forEach((element) => element.remove());
}

function fillPool(element, pool) {
  element.dataset.state = pool.state;
  element.querySelector(".pool-state .mark").dataset.state = pool.state;
  say(element, "pool.state", pool.state);
  for (const name of ["busy", "size", "queued"]) say(element, `pool.${name}`, count(pool[name]));
  tickFrom(field(element, "pool.oldest_wait"), pool.oldest_wait, NOTHING);
  field(element, "pool.reason_box").hidden = pool.state !== "broken";
  say(element, "pool.reason", pool.reason ?? "");
  fillWorkers(element.querySelector("[data-workers]"), pool.workers);
}

onFrame((frame) => {
  for (const state of ["succeeded", "failed", "cancelled", "lost"]) {
    say(document, `ended.${state}`, count(frame.window[state]));
  }
  for (const pool of frame.pools) {
    const element = document.querySelector(`[data-pool="${CSS.escape(pool.name)}"]`);
    if (element) fillPool(element, pool);
  }
});
