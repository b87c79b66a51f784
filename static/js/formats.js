// Numbers, sizes and times as people read them, worded as app/pooldeck_server/web/text/formats.py words them; a browser
// test holds the two against each other.

import { _ } from "./words.js";

export const NOTHING = "–";
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
const grouped = new Intl.NumberFormat("en");

export function duration(seconds) {
  if (seconds == null) return NOTHING;
  if (seconds < 60) return underAMinute(Math.max(seconds, 0));
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return _("%(minutes)s min %(seconds)s s", { minutes, seconds: whole % 60 });
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return _("%(hours)s h %(minutes)s min", { hours, minutes: minutes % 60 });
  return _("%(days)s d %(hours)s h", { days: Math.floor(hours / 24), hours: hours % 24 });
}

function underAMinute(seconds) {
  const milliseconds = Math.floor(seconds * 1000);
  if (milliseconds < 1) return seconds ? _("under 1 ms") : _("%(n)s s", { n: 0 });
  if (milliseconds < 1000) return _("%(n)s ms", { n: milliseconds });
  const whole = Math.floor(milliseconds / 1000);
  const tenths = Math.floor(milliseconds / 100) % 10;
  const n = seconds < 10 ? `${whole}.${tenths}` : whole;
  return _("%(n)s s", { n });
}

// Both times in milliseconds since the epoch.
export function ago(at, now) {
  const seconds = (now - at) / 1000;
  if (Math.abs(seconds) < 1) return _("just now");
  if (seconds > 0) return _("%(span)s ago", { span: coarse(Math.floor(seconds)) });
  return _("in %(span)s", { span: ahead(-seconds) });
}

// What is to come, in two units at most, rounded to the smaller one.
function ahead(seconds) {
  const whole = Math.floor(seconds + 0.5);
  if (whole < 60) return _("%(n)s s", { n: whole });
  const unit = whole < 3600 ? 1 : whole < 86370 ? 60 : 3600;
  const rounded = Math.floor((whole + Math.floor(unit / 2)) / unit) * unit;
  const [large, small] = [[86400, 3600], [3600, 60], [60, 1]].find(([each]) => rounded >= each);
  return Math.floor((rounded % large) / small) ? duration(rounded) : coarse(rounded);
}

function coarse(seconds) {
  if (seconds >= 86400) return _("%(n)s d", { n: Math.floor(seconds / 86400) });
  if (seconds >= 3600) return _("%(n)s h", { n: Math.floor(seconds / 3600) });
  if (seconds >= 60) return _("%(n)s min", { n: Math.floor(seconds / 60) });
  return _("%(n)s s", { n: seconds });
}

export function count(number) {
  return grouped.format(number);
}

export function size(octets) {
  if (octets == null) return NOTHING;
  let step = 0;
  while (step < UNITS.length - 1 && octets >= 1024 ** (step + 1)) step += 1;
  const tenths = Math.floor((octets * 10) / 1024 ** step);
  const small = step > 0 && tenths < 100;
  return `${Math.floor(tenths / 10)}${small ? `.${tenths % 10}` : ""} ${UNITS[step]}`;
}

export function rate(value) {
  if (value >= 10) return count(Math.floor(value + 0.5));
  const steps = value >= 1 ? 10 : 100;
  return String(Math.floor(value * steps + 0.5) / steps);
}

export function percent(value) {
  return value == null ? NOTHING : `${Math.floor(value + 0.5)} %`;
}
