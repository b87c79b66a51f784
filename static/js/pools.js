// The size of a pool: slider and number go together, and the server says what the size would mean.
// The form is not exchanged with the rest of the page, so that nobody is disturbed while choosing;
// where nothing was chosen yet, it follows the pool.

import { onFrame } from "./live.js";
import { at } from "./root.js";

const asked = new WeakMap(); // form → the size whose meaning is shown or on its way

async function explain(form, size) {
  if (asked.get(form) === size) return;
  asked.set(form, size);
  const response = await fetch(at(`/pools/${encodeURIComponent(form.dataset.pool)}/size?size=${size}`)).catch(() => null);
  if (response?.ok && asked.get(form) === size) form.querySelector("output").textContent = await response.text();
}

function choose(form, size) {
  for (const input of form.querySelectorAll(".slider, .number")) input.value = size;
  if (form.checkValidity()) explain(form, String(size));
}

function follow(form, size) {
  const number = form.querySelector(".number");
  const isChosen = "asked" in form.dataset || number.value !== number.defaultValue || form.contains(document.activeElement);
  if (isChosen || number.defaultValue === String(size)) return;
  number.defaultValue = String(size);
  choose(form, size);
}

document.addEventListener("input", ({ target }) => {
  const form = target.closest(".sizing");
  if (!form || !target.matches(".slider, .number")) return;
  const other = form.querySelector(target.matches(".slider") ? ".number" : ".slider");
  other.value = target.value;
  if (form.checkValidity()) explain(form, target.value);
});

onFrame(({ pools }) => {
  for (const { name, size } of pools) {
    const form = document.querySelector(`.sizing[data-pool="${CSS.escape(name)}"]`);
    if (form) follow(form, size);
  }
});
