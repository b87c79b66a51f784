// The tiles of workers and their slots: the server's markup, or clones of it, filled from frames.

import { Palette } from "./colours.js";
import { arrange, field, flag, mark, say } from "./fields.js";
import { duration, percent, size } from "./formats.js";
import { at } from "./root.js";
import { stateWord } from "./state_words.js";
import { tickFrom } from "./ticking.js";
import { workerName } from "./worker_names.js";
import { _, ngettext } from "./words.js";

const clone = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const narrowedTo = document.getElementById("deck").dataset.function;
const palette = new Palette(tileColours());
const HALTED = ["paused", "draining", "stopped"];

function tileColours() {
  const links = [...document.querySelectorAll("#deck .slot-task[title]")];
  return links.map((link) => [link.title, field(link.closest(".slot"), "swatch").dataset.fn]);
}

// Gives those that run their colours; those with a line in the chart have its.
export function paint(pools) {
  const lines = [...document.querySelectorAll("#chart-table [data-function]")];
  const running = new Map();
  for (const { function: name } of pools.flatMap((pool) => pool.workers).flatMap((worker) => worker.slots)) if (name) running.set(name, (running.get(name) ?? 0) + 1);
  palette.show(running, new Map(lines.map(({ dataset }) => [dataset.function, Number(dataset.fn)])));
}

function slotState(worker, slot, poolState) {
  if (slot.abandoned) return "abandoned";
  if (worker.state === "no_contact") return worker.state;
  if (slot.task != null) return slot.cancel_requested ? "asked" : "busy";
  if (["starting", "stopping"].includes(worker.state)) return worker.state;
  return HALTED.includes(poolState) ? "paused" : "idle";
}

function fillSlot(element, slot, state, number) {
  mark(element, "slot", String(number));
  if (element.dataset.state !== state) {
    element.dataset.state = field(element, "mark").dataset.state = state;
    say(element, "word", stateWord(state));
  }
  say(element, "number", String(number));
  flag(element, "data-late", slot.is_late);
  flag(element, "data-other", Boolean(narrowedTo && slot.function && slot.function !== narrowedTo));
  field(element, "body").hidden = slot.task == null;
  if (slot.task != null) fillTask(element, slot);
  else if ("elapsed" in field(element, "elapsed").dataset) tickFrom(field(element, "elapsed"), null, "");
}

function fillTask(element, slot) {
  const link = field(element, "task");
  const href = at(`/tasks/${slot.task}`);
  if (link.getAttribute("href") !== href) link.href = href;
  if (link.title !== slot.function) {
    link.title = slot.function;
    link.textContent = slot.function.split(".").at(-1);
  }
  mark(field(element, "swatch"), "fn", String(palette.of(slot.function)));
  say(element, "fraction", slot.fraction == null ? "" : percent(100 * slot.fraction));
  fillUsual(element, slot);
  tickFrom(field(element, "elapsed"), slot.elapsed, "");
}

// The bar is full at the p95 of the function's runs, and the tick in it stands at their median.
function fillUsual(element, { usual_p50: p50, usual_p95: p95 }) {
  const bar = field(element, "bar");
  const usual = String(p95 ?? "");
  if ((bar.dataset.usual ?? "") === usual) return;
  flag(bar, "hidden", !p95);
  flag(field(element, "tick"), "hidden", !p95);
  bar.dataset.usual = usual;
  if (!p95) return;
  field(element, "tick").firstElementChild.setAttribute("x", Math.round((99 * p50) / p95));
  bar.title = _("half take at most %(p50)s, 19 of 20 at most %(p95)s", { p50: duration(p50), p95: duration(p95) });
}

// Late ones first, else in their order: [number from 1, item].
function lateFirst(items, isLate) {
  const numbered = items.map((item, index) => [index + 1, item]);
  return numbered.sort(([, one], [, other]) => isLate(other) - isLate(one));
}

function fillSlots(list, worker, poolState) {
  const present = new Map([...list.children].map((element) => [element.dataset.slot, element]));
  const elements = lateFirst(worker.slots, (slot) => slot.is_late).map(([number, slot]) => {
    const element = present.get(String(number)) ?? clone("slot-template");
    fillSlot(element, slot, slotState(worker, slot, poolState), number);
    return element;
  });
  arrange(list, elements);
}

function fillWorker(element, worker, poolState) {
  mark(element, "worker", worker.id);
  if (element.dataset.state !== worker.state) {
    element.dataset.state = worker.state;
    say(element, "state", stateWord(worker.state));
  }
  sayId(element, worker.id);
  say(element, "cpu", percent(worker.cpu_percent));
  say(element, "rss", size(worker.rss_bytes));
  say(element, "done", ngettext("%(num)s done", "%(num)s done", worker.tasks_done));
  fillRestarts(field(element, "restarts"), worker);
  fillSlots(field(element, "slots"), worker, poolState);
}

// It may be too long for its tile.
function sayId(element, id) {
  say(element, "id", workerName(id));
  field(element, "id").title = id;
}

function fillRestarts(element, { restarts, replaced }) {
  const text = ngettext("%(num)s restart", "%(num)s restarts", restarts);
  if (element.textContent === text) return;
  element.textContent = text;
  element.hidden = restarts === 0;
  if (replaced) element.title = _("it took the place of %(worker)s", { worker: replaced });
}

function deadTile({ id, incident, words, function: name }) {
  const element = clone("dead-template");
  element.dataset.dead = id;
  sayId(element, id);
  say(element, "cause", words);
  say(element, "function", (name ?? "").split(".").at(-1));
  field(element, "report").href = at(`/incidents/${incident}`);
  return element;
}

// Workers keep their element as long as they live, so that focus and hover stay where they are.
export function fillWorkers(list, pool) {
  const present = new Map([...list.children].map((each) => [each.dataset.worker ?? `dead ${each.dataset.dead}`, each]));
  const isLate = (worker) => worker.slots.some((slot) => slot.is_late);
  const workers = lateFirst(pool.workers, isLate).map(([, worker]) => {
    const element = present.get(worker.id) ?? clone("worker-template");
    fillWorker(element, worker, pool.state);
    return element;
  });
  arrange(list, [...workers, ...pool.dead.map((each) => present.get(`dead ${each.id}`) ?? deadTile(each))]);
}
