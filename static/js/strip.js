// The strip of numbers, the notices and the state of the connection, as frames tell them.

import { NOTHING, count } from "./formats.js";
import { onFrame, onState } from "./live.js";
import { tickFrom } from "./ticking.js";

const field = (name, within = document) => within.querySelector(`[data-field="${name}"]`);
const words = (element) => element.textContent.replace(/\s+/g, " ").trim();

function showNumber(name, number) {
  const element = field(name);
  element.textContent = count(number);
  element.closest("a").toggleAttribute("data-zero", number === 0);
}

function notice(pool) {
  const item = document.getElementById("notice-template").content.firstElementChild.cloneNode(true);
  const reason = (pool.reason ?? "").trim().split("\n")[0] || "its workers do not start";
  field("subject", item).textContent = pool.name;
  field("subject", item).href = `/pools#${pool.name}`;
  field("text", item).textContent = `is broken: ${reason}`;
  return item;
}

// What the server said about itself stays; that it is starting, until a worker is ready.
function staysTrue(item, pools) {
  if (item.dataset.kind !== "starting") return item.dataset.kind !== "broken";
  return !pools.some((pool) => pool.workers.some((worker) => worker.state !== "starting"));
}

function showNotices(pools) {
  const list = document.getElementById("notices");
  const shown = [...list.children];
  const broken = pools.filter((pool) => pool.state === "broken").map(notice);
  const due = [...shown.filter((item) => staysTrue(item, pools)), ...broken];
  const isSaid = due.length === shown.length && due.every((item, index) => words(item) === words(shown[index]));
  if (!isSaid) list.replaceChildren(...due); // not again and again, since it is read out
}

onFrame((frame) => {
  for (const state of ["running", "queued", "scheduled"]) {
    showNumber(`counts.${state}`, frame.counts[state] ?? 0);
  }
  for (const state of ["succeeded", "failed", "lost"]) {
    showNumber(`window.${state}`, frame.window[state]);
  }
  tickFrom(field("oldest_wait"), frame.oldest_wait, NOTHING);
  showNotices(frame.pools);
});

onState((state) => {
  const connection = document.querySelector(".connection");
  connection.dataset.connection = state;
  field("connection", connection).textContent = state;
  document.documentElement.toggleAttribute("data-stale", state !== "live");
});
