// The points of a sparkline, the latest at the right edge: as `spark` in app/pooldeck_server/web/pages/shared/tiles.py.

const WIDTH = 90;
const HEIGHT = 24;
const ROOM = 20; // of the height, for the highest value

export function spark(values) {
  const shown = values.slice(-WIDTH);
  const top = Math.max(0, ...shown) || 1;
  const first = WIDTH - shown.length;
  return shown.map((value, place) => `${first + place},${HEIGHT - 1 - Math.floor((ROOM * value) / top + 0.5)}`).join(" ");
}
