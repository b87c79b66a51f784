// Which slot is drawn where: rows by pool, host, worker and thread, with the bars of each in order.

import { hostOf } from "./worker_names.js";

const MOST_ROWS = 200;
const HEAD = 20; // pixels of a pool's heading
const [LOWEST, HIGHEST] = [14, 26]; // pixels of a row

const keyOf = ({ pool, worker, thread }) => `${pool} ${worker} ${thread}`;
const numberOf = (worker) => Number(worker.slice(worker.lastIndexOf("-") + 1)) || 0;
const byStart = (one, other) => one.start - other.start;

function slotRows({ bars, present, pools }) {
  const rows = new Map();
  const row = (slot) => {
    const key = keyOf(slot);
    if (!rows.has(key)) rows.set(key, { ...slot, bars: [], isPresent: false });
    return rows.get(key);
  };
  for (const [pool, worker, thread] of present) row({ pool, worker, thread }).isPresent = true;
  for (const { pool, worker, thread, ...bar } of bars) row({ pool, worker, thread }).bars.push({ pool, worker, thread, ...bar });
  const place = (pool) => (pools.includes(pool) ? pools.indexOf(pool) : pools.length);
  const order = (one, other) =>
    place(one.pool) - place(other.pool) || hostOf(one.worker).localeCompare(hostOf(other.worker)) || numberOf(one.worker) - numberOf(other.worker) || (one.thread ?? 0) - (other.thread ?? 0);
  return [...rows.values()].sort(order);
}

const lived = ({ bars }) => bars.reduce((sum, { start, end }) => sum + (end === null ? Infinity : end - start), 0);

// Where there are too many rows, those of workers that are gone and did least share one row of their pool.
function collapse(rows) {
  if (rows.length <= MOST_ROWS) return rows;
  const gone = rows.filter((row) => !row.isPresent).sort((one, other) => lived(one) - lived(other));
  const hidden = new Set(gone.slice(0, rows.length - MOST_ROWS));
  const shared = new Map();
  for (const row of hidden) {
    const together = shared.get(row.pool) ?? { pool: row.pool, worker: "", thread: null, bars: [], collapsed: 0 };
    shared.set(row.pool, together);
    together.bars.push(...row.bars);
    together.collapsed += 1;
  }
  const kept = rows.filter((row) => !hidden.has(row));
  return [...Map.groupBy([...kept, ...shared.values()], (row) => row.pool).values()].flat();
}

export class TimelineRows {
  constructor(data, room) {
    this.rows = collapse(slotRows(data));
    for (const row of this.rows) row.bars.sort(byStart);
    const heads = new Set(this.rows.map((row) => row.pool)).size;
    this.rowHeight = Math.max(LOWEST, Math.min(HIGHEST, Math.floor((room - heads * HEAD) / this.rows.length)));
    this.heads = [];
    this.height = this.place();
  }

  place() {
    let y = 0;
    let pool = null;
    for (const row of this.rows) {
      if (row.pool !== pool) {
        this.heads.push({ name: row.pool, y });
        pool = row.pool;
        y += HEAD;
      }
      row.y = y;
      y += this.rowHeight;
    }
    return y;
  }

  rowAt(y) {
    return this.rows.find((row) => y >= row.y && y < row.y + this.rowHeight);
  }

  // The bar of `row` at a time, or the nearest within `slack` milliseconds.
  barAt(row, at, slack, now) {
    const next = firstFrom(row.bars, at);
    const gap = (bar) => Math.max(bar.start - at, at - (bar.end ?? now), 0);
    const near = row.bars.slice(Math.max(next - 2, 0), next + 1).filter((bar) => gap(bar) <= slack);
    return near.sort((one, other) => gap(one) - gap(other))[0];
  }

  // The bar to go to from `bar`: along its row, or the one at the same time in a row `down` of it.
  neighbour(bar, along, down) {
    const rows = this.rows.filter((row) => row.bars.length);
    if (!rows.length) return null;
    if (!bar) return rows[0].bars.at(-1);
    const index = rows.findIndex((row) => row.bars.some(({ key }) => key === bar.key));
    if (index < 0) return rows[0].bars.at(-1);
    const row = rows[Math.min(Math.max(index + down, 0), rows.length - 1)];
    const place = down ? Math.max(firstFrom(row.bars, bar.start + 0.001) - 1, 0) : row.bars.findIndex(({ key }) => key === bar.key);
    return row.bars[Math.min(Math.max(place + along, 0), row.bars.length - 1)];
  }
}

// The place of the first of `bars` that starts at `at` or later.
export function firstFrom(bars, at) {
  let [low, high] = [0, bars.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bars[middle].start < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
