// Times in the zone that the reader chose, as app/pooldeck_server/web/text/zones.py tells them; a browser test holds the
// two against each other. Moments are milliseconds since the epoch.

const { zone: wanted = "UTC" } = document.documentElement.dataset;

function formatter(zone) {
  const parts = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 };
  return new Intl.DateTimeFormat("en-GB", { ...parts, hourCycle: "h23", timeZone: zone, timeZoneName: "shortOffset" });
}

// A browser may be older than a zone.
function known(zone) {
  try {
    return formatter(zone);
  } catch {
    return formatter("UTC");
  }
}

const format = known(wanted);

function partsOf(at) {
  return Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
}

export const zone = format.resolvedOptions().timeZone === "UTC" ? "UTC" : wanted;

// As ISO 8601 has it, without the offset: "2026-11-30T09:00:00.000".
export function wall(at) {
  const { year, month, day, hour, minute, second, fractionalSecond } = partsOf(at);
  return `${year.padStart(4, "0")}-${month}-${day}T${hour}:${minute}:${second}.${fractionalSecond}`;
}

// "UTC", "UTC+8", "UTC-3:30".
export function offsetName(at) {
  const name = partsOf(at).timeZoneName.replace("GMT", "UTC").replace("−", "-");
  return name === "UTC+0" ? "UTC" : name;
}

// How many milliseconds its clocks are ahead of UTC.
export function offset(at) {
  return Date.parse(`${wall(at)}Z`) - Math.floor(at);
}

export const clock = (at) => wall(at).slice(11, 19);

const days = new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "short", timeZone: zone });

// The day and the time of day, to the minute.
export const dayAndMinute = (at) => `${days.format(at)} ${wall(at).slice(11, 16)}`;
