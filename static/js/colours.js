// The colours of functions: up to twelve in one view, no two of them the same. They are chosen as
// app/pooldeck_server/web/text/colours.py chooses them; css/colours.css names what they look like.

export const COLOURS = 12;
export const OTHER = "other"; // for functions beyond those that have a colour of their own

const OFFSET = 2166136261;
const PRIME = 16777619;
const STICKY = 1.5; // so much more must show of another function before it takes a colour away
const encoder = new TextEncoder();

// The FNV-1a hash of the name, folded to 16 bits: a number from 0 to 11.
export function colourOf(name) {
  let value = OFFSET;
  for (const octet of encoder.encode(name)) value = Math.imul(value ^ octet, PRIME);
  return ((value >>> 16) ^ (value & 0xffff)) % COLOURS;
}

// Who has which colour while a view moves: a function keeps its own as long as it is among those that
// show, and after that until another needs it.
export class Palette {
  #numbers = new Map(); // by function, those that were in view longest ago first

  // Seeds are what the server has chosen: [function, number or "other"].
  constructor(seeds = []) {
    for (const [name, number] of seeds) if (number !== OTHER) this.#numbers.set(name, Number(number));
  }

  of(name) {
    return this.#numbers.get(name) ?? OTHER;
  }

  // Gives colours to those that show most: weights say how much of each function is in view, fixed
  // which colours some have beside it.
  show(weights, fixed = new Map()) {
    for (const [name, number] of fixed) this.#fix(name, number);
    const rank = (name) => weights.get(name) * (this.#numbers.has(name) ? STICKY : 1);
    const ranked = [...weights.keys()].filter((name) => !fixed.has(name)).sort((one, other) => rank(other) - rank(one) || (one < other ? -1 : 1));
    const chosen = ranked.slice(0, COLOURS - fixed.size).sort();
    for (const name of chosen) this.#refresh(name);
    for (const name of chosen) if (!this.#numbers.has(name) && !this.#holder(colourOf(name))) this.#numbers.set(name, colourOf(name));
    const kept = new Set([...chosen, ...fixed.keys()]);
    for (const name of chosen) if (!this.#numbers.has(name)) this.#numbers.set(name, this.#free(colourOf(name), kept));
  }

  #fix(name, number) {
    const holder = this.#holder(number);
    if (holder) this.#numbers.delete(holder[0]);
    this.#numbers.delete(name);
    this.#numbers.set(name, number);
  }

  #refresh(name) {
    const number = this.#numbers.get(name);
    if (number === undefined || !this.#numbers.delete(name)) return;
    this.#numbers.set(name, number);
  }

  #holder(number) {
    return [...this.#numbers].find(([, each]) => each === number);
  }

  // A colour that nobody has; else that of who was in view longest ago.
  #free(first, kept) {
    for (let step = 0; step < COLOURS; step += 1) if (!this.#holder((first + step) % COLOURS)) return (first + step) % COLOURS;
    const [gone, number] = [...this.#numbers].find(([name]) => !kept.has(name));
    this.#numbers.delete(gone);
    return number;
  }
}

// How much of each function is in a picture: its share of the bars and of their time, [name, seconds].
export function weightsOf(bars) {
  const counted = new Map();
  let [number, total] = [0, 0];
  for (const [, seconds] of bars) [number, total] = [number + 1, total + seconds];
  for (const [name, seconds] of bars) counted.set(name, (counted.get(name) ?? 0) + 1 / number + (total ? seconds / total : 0));
  return counted;
}
