// The values of a chart as people read them, as `amount` in app/pooldeck_server/web/pages/deck/chart.py words them.

import { NOTHING, duration, percent, rate, size } from "./formats.js";

const WORDS = {
  s: duration,
  bytes: (value) => size(Math.floor(value)),
  percent,
  share: (value) => percent(100 * value),
  "per s": (value) => `${rate(value)}/s`,
};

export function amount(value, unit) {
  return value == null ? NOTHING : (WORDS[unit] ?? rate)(value);
}
