// Numbers, sizes and times as people read them, worded as app/web/formats.py words them; a browser
// test holds the two against each other.

export const NOTHING = "–";
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
const STEPS = [[86400, "d"], [3600, "h"], [60, "min"]];
const grouped = new Intl.NumberFormat("en");

export function duration(seconds) {
  if (seconds == null) return NOTHING;
  if (seconds < 60) return underAMinute(Math.max(seconds, 0));
  const whole = Math.floor(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

function underAMinute(seconds) {
  const milliseconds = Math.floor(seconds * 1000);
  if (milliseconds < 1) return seconds ? "under 1 ms" : "0 s";
  if (milliseconds < 1000) return `${milliseconds} ms`;
  const tenths = Math.floor(milliseconds / 100);
  return seconds < 10 ? `${Math.floor(tenths / 10)}.${tenths % 10} s` : `${Math.floor(tenths / 10)} s`;
}

// Both times in milliseconds since the epoch.
export function ago(at, now) {
  const seconds = (now - at) / 1000;
  if (Math.abs(seconds) < 1) return "just now";
  const words = coarse(Math.floor(Math.abs(seconds)));
  return seconds > 0 ? `${words} ago` : `in ${words}`;
}

function coarse(seconds) {
  const step = STEPS.find(([size]) => seconds >= size);
  return step ? `${Math.floor(seconds / step[0])} ${step[1]}` : `${seconds} s`;
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

export function percent(value) {
  return value == null ? NOTHING : `${Math.floor(value + 0.5)} %`;
}
