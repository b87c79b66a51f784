// The deck: fills the cards of the pools that the server rendered with what frames tell.

import { field, flag, mark, say } from "./fields.js";
import { NOTHING, count, duration, percent, rate } from "./formats.js";
import { onFrame } from "./live.js";
import { spark } from "./sparkline.js";
import { stateWord } from "./state_words.js";
import { tickFrom } from "./ticking.js";
import { fillWorkers, paint } from "./tiles.js";
import { ngettext } from "./words.js";

const deck = () => document.getElementById("deck");
let cards = new Map();
let known = ""; // the pools that there were when the cards were made
let asking = false;

function takeCards() {
  cards = new Map([...deck().querySelectorAll("[data-pool]")].map((card) => [card.dataset.pool, card]));
  known = deck().dataset.pools;
}

// The server has other pools than when the page was loaded: it makes their cards.
async function renew() {
  if (asking) return;
  asking = true;
  const response = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (response?.ok && !response.redirected) exchange(new DOMParser().parseFromString(await response.text(), "text/html"));
  asking = false;
}

function exchange(fresh) {
  if (fresh.body.dataset.stream !== document.body.dataset.stream) location.reload(); // other scripts
  for (const id of ["deck", "chart-pool", "chart-function"]) {
    const [old, part] = [document, fresh].map((each) => each.getElementById(id));
    if (!old || !part) continue;
    if ("value" in old) part.value = old.value;
    old.replaceWith(document.adoptNode(part));
  }
  takeCards();
}

function fillState(card, { state, why, workers }) {
  mark(card, "state", state);
  mark(field(card, "mark"), "state", state);
  say(card, "state", stateWord(state));
  field(card, "reason_box").hidden = state !== "broken";
  say(card, "reason", why ?? "");
  field(card, "empty").hidden = workers.length > 0;
}

function fillHosts(card, { hosts, hosts_words: words }) {
  if (hosts === null || !card.querySelector('[data-field="hosts"]')) return;
  say(card, "hosts", words);
  const standing = hosts.filter(({ state }) => ["attached", "draining", "no_contact"].includes(state));
  flag(field(card, "hosts"), "data-amiss", !standing.length || standing.some(({ state }) => state === "no_contact"));
}

function fillRecent(card, recent) {
  say(card, "utilization", recent ? percent(100 * recent.utilization) : NOTHING);
  say(card, "throughput", recent ? rate(recent.throughput) : NOTHING);
  say(card, "wait_p95", duration(recent?.wait_p95));
  say(card, "run_p95", duration(recent?.run_p95));
  say(card, "failed", recent ? count(recent.failed) : NOTHING);
  flag(field(card, "failed_link"), "data-some", Boolean(recent?.failed));
  const line = field(card, "spark");
  const points = spark(recent?.spark ?? []);
  if (line.getAttribute("points") !== points) line.setAttribute("points", points);
}

function fillFigures(card, pool) {
  const switches = pool.ctx_switches_per_s;
  for (const name of ["busy", "slots", "queued", "incidents"]) say(card, name, count(pool[name]));
  for (const name of ["voluntary", "involuntary"]) say(card, name, switches ? count(Math.floor(switches[name] + 0.5)) : NOTHING);
  say(card, "restarts", ngettext("%(num)s restart", "%(num)s restarts", pool.restarts));
  tickFrom(field(card, "oldest_wait"), pool.oldest_wait, NOTHING);
}

takeCards();
onFrame((frame) => {
  if (frame.pools.map(({ name }) => name).join(" ") !== known) renew();
  paint(frame.pools);
  for (const pool of frame.pools) {
    const card = cards.get(pool.name);
    if (!card) continue;
    fillState(card, pool);
    fillFigures(card, pool);
    fillHosts(card, pool);
    fillRecent(card, pool.recent);
    fillWorkers(field(card, "workers"), pool);
  }
});
