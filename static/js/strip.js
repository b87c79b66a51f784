// The strip of numbers, the notices and the state of the connection, as frames tell them.

import { count } from "./formats.js";
import { onFrame, onState } from "./live.js";
import { tickFrom } from "./ticking.js";

const WORDS = { live: "live", reconnecting: "reconnecting", offline: "offline" };
const field = (name, within = document) => within.querySelector(`[data-field="${name}"]`);

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

function showNotices(pools) {
  const broken = pools.filter((pool) => pool.state === "broken").map(notice);
  const list = document.getElementById("notices");
  if (list.textContent.trim() !== broken.map((item) => item.textContent.trim()).join("")) {
    list.replaceChildren(...broken);
  }
}

onFrame((frame) => {
  for (const state of ["running", "queued", "scheduled"]) {
    showNumber(`counts.${state}`, frame.counts[state] ?? 0);
  }
  for (const state of ["succeeded", "failed", "lost"]) {
    showNumber(`window.${state}`, frame.window[state]);
  }
  tickFrom(field("oldest_wait"), frame.oldest_wait);
  showNotices(frame.pools);
});

onState((state) => {
  const connection = document.querySelector(".connection");
  connection.dataset.connection = state;
  field("connection", connection).textContent = WORDS[state];
  document.documentElement.toggleAttribute("data-stale", state !== "live");
});
