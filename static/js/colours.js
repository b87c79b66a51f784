// The colour of a function: one of twelve, the same on every chart and timeline. It is chosen as
// app/pooldeck_server/web/text/colours.py chooses it; css/colours.css names what the twelve look like.

export const COLOURS = 12;

const OFFSET = 2166136261;
const PRIME = 16777619;
const encoder = new TextEncoder();

// The FNV-1a hash of the name, folded to 16 bits: a number from 0 to 11.
export function colourOf(name) {
  let value = OFFSET;
  for (const octet of encoder.encode(name)) value = Math.imul(value ^ octet, PRIME);
  return ((value >>> 16) ^ (value & 0xffff)) % COLOURS;
}
