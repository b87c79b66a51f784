// Keeps which tasks are chosen while their list is exchanged; those that have moved on to another
// page are sent along as hidden fields.

import { ngettext } from "./words.js";

const form = document.getElementById("chosen");
const every = document.querySelector("#choose-all input");
const number = document.getElementById("chosen-number");
const buttons = form.querySelectorAll("button");
const chosen = new Set();
const boxes = () => [...document.querySelectorAll('#task-list input[name="id"]')];

function sendAlong(gone) {
  form.querySelectorAll('input[name="id"]').forEach((field) => field.remove());
  for (const id of gone) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "id", value: id });
    form.append(field);
  }
}

function show() {
  const present = boxes();
  for (const box of present) box.checked = chosen.has(box.value);
  const here = present.filter((box) => box.checked).length;
  every.checked = here > 0 && here === present.length;
  every.indeterminate = here > 0 && here < present.length;
  every.disabled = present.length === 0;
  for (const button of buttons) button.disabled = chosen.size === 0;
  number.value = chosen.size ? ngettext("%(num)s chosen", "%(num)s chosen", chosen.size) : "";
  const ids = new Set(present.map((box) => box.value));
  sendAlong([...chosen].filter((id) => !ids.has(id)));
}

function choose(box, is) {
  if (is) chosen.add(box.value);
  else chosen.delete(box.value);
}

document.addEventListener("change", ({ target }) => {
  if (target === every) boxes().forEach((box) => choose(box, every.checked));
  else if (target.matches('#task-list input[name="id"]')) choose(target, target.checked);
  else return;
  show();
});
document.addEventListener("exchanged", show);
document.getElementById("choose-all").hidden = false;
boxes().filter((box) => box.checked).forEach((box) => choose(box, true)); // as the browser restored them
show();
