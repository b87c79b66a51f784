// The bars that the browser holds: fetched for a stretch of time, or added to as time goes on.
// Times are milliseconds since the epoch.

import { at } from "./root.js";

const MOST_BARS = 3000; // that are kept while time goes on
const OVERLAP = 1500; // between two live answers: an end is stored a moment after it happened

// The places of a bar's row, as app/pooldeck_server/web/pages/timeline/bars_json.py fills it.
const [TASK, ATTEMPT, SLOT, FUNCTION, LOOK, START, END, RECORDED, WAIT, CPU, DECODE, ENCODE] = Array(12).keys();

function reader({ base, slots, functions, looks }) {
  const at = (offset) => (offset === null ? null : (base + offset) / 1000);
  const seconds = (microseconds) => (microseconds === null ? null : microseconds / 1e6);
  return (row) => {
    const [pool, worker, thread] = slots[row[SLOT]];
    return {
      task: row[TASK],
      key: `${row[TASK]} ${row[ATTEMPT]} ${looks[row[LOOK]] === "abandoned"}`,
      pool, worker, thread,
      name: functions[row[FUNCTION]],
      look: looks[row[LOOK]],
      start: at(row[START]),
      end: at(row[END]),
      recorded: at(row[RECORDED]),
      wait: seconds(row[WAIT]),
      cpu: seconds(row[CPU]),
      decode: seconds(row[DECODE]) ?? 0,
      encode: seconds(row[ENCODE]) ?? 0,
    };
  };
}

export class TimelineData {
  constructor(filters) {
    this.filters = filters;
    this.ended = new Map();
    this.forget();
  }

  // All that is known becomes void: the next answer begins anew.
  forget() {
    this.ended.clear();
    this.running = [];
    this.present = [];
    this.pools = [];
    this.annotations = [];
    this.from = this.to = this.completeFrom = null;
    this.limits = "";
  }

  get bars() {
    return [...this.running, ...this.ended.values()];
  }

  // Reads what ran from `from` to `to`; what was known before is forgotten when the answer is there.
  async load(from, to) {
    const answer = await this.fetch(from, to);
    if (!answer) return false;
    this.forget();
    this.take(answer);
    [this.from, this.to, this.completeFrom, this.limits] = [from, to, answer.complete_from / 1000, answer.limits];
    this.annotations = answer.annotations;
    return true;
  }

  // Reads what is new since the last answer, and forgets what ended before `from`.
  async follow(from) {
    const answer = await this.fetch(this.to - OVERLAP, Date.now() + this.skew + 1000);
    if (!answer) return false;
    const isWhole = answer.complete_from <= answer.from;
    const ran = this.running;
    this.take(answer);
    if (isWhole && this.hasLost(ran)) return this.load(from, this.to + 1000); // an end came late
    if (!isWhole) [this.completeFrom, this.limits] = [answer.complete_from / 1000, answer.limits];
    this.forgetBefore(from);
    const known = new Set(this.annotations.map((mark) => mark.at));
    this.annotations.push(...answer.annotations.filter((mark) => !known.has(mark.at)));
    return true;
  }

  take(answer) {
    const read = reader(answer);
    const bars = answer.bars.map(read);
    this.running = bars.filter((bar) => bar.end === null);
    for (const bar of bars) if (bar.end !== null) this.ended.set(bar.key, bar);
    this.present = answer.present.map((number) => answer.slots[number]);
    this.pools = answer.pools;
    this.skew = answer.now / 1000 - Date.now();
    this.to = Math.min(answer.to, answer.now) / 1000;
  }

  // Whether one of these bars is known no more.
  hasLost(bars) {
    const running = new Set(this.running.map((bar) => bar.key));
    return bars.some((bar) => !running.has(bar.key) && !this.ended.has(bar.key));
  }

  forgetBefore(from) {
    const newest = [...this.ended.values()].filter((bar) => bar.end >= from).sort((one, other) => other.end - one.end);
    if (newest.length > MOST_BARS) this.completeFrom = Math.max(this.completeFrom, newest[MOST_BARS].end);
    this.ended = new Map(newest.slice(0, MOST_BARS).map((bar) => [bar.key, bar]));
    this.from = Math.max(this.from, from);
    this.annotations = this.annotations.filter((mark) => mark.at / 1000 >= from);
    if (this.completeFrom <= from) this.limits = "";
  }

  async fetch(from, to) {
    const iso = (at) => new Date(at).toISOString();
    const query = new URLSearchParams({ from: iso(Math.floor(from)), to: iso(Math.ceil(to)), ...this.filters });
    const response = await fetch(at(`/timeline.json?${query}`)).catch(() => null);
    return response?.ok ? response.json() : null;
  }
}
