// The colours of the picture: read once for each theme, since a canvas knows no custom properties.

import { COLOURS, OTHER } from "./colours.js";

const NAMES = ["surface", "raised", "line", "line-strong", "text", "dim", "accent", "failed", "lost", "warn"];

// The colours as the browser resolves them, and what is made of them; palette says who has which.
export function readTheme(element, palette) {
  const probe = document.createElement("i");
  element.append(probe);
  const resolve = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const theme = Object.fromEntries(NAMES.map((name) => [name, resolve(name)]));
  const numbers = [...Array(COLOURS).keys(), OTHER];
  const functions = new Map(numbers.map((number) => [number, resolve(`fn-${number}`)]));
  probe.remove();
  const inks = new Map([...functions].map(([number, colour]) => [number, inkOn(colour)]));
  theme.colour = (name) => functions.get(palette.of(name));
  theme.ink = (name) => inks.get(palette.of(name));
  theme.hatch = hatch(theme.line, theme.surface);
  theme.amber = hatch(theme.warn, theme.surface);
  return theme;
}

// Black or white: what is easier to read on a colour such as "rgb(28, 96, 180)".
function inkOn(colour) {
  const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
}

function hatch(colour, ground) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.fillStyle = ground;
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  for (const shift of [-8, 0, 8]) {
    pen.beginPath();
    pen.moveTo(shift - 1, 9);
    pen.lineTo(shift + 9, -1);
    pen.stroke();
  }
  return pen.createPattern(tile, "repeat");
}
