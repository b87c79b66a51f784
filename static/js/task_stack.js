// Shows the stack of a running task on its page; without JavaScript it is a page of its own.

import { fetchPart, isPlain } from "./fragments.js";
import { _ } from "./words.js";

const section = document.getElementById("stack-shown");
const body = document.getElementById("stack-body");
let shownBy = null; // the address that it came from

async function show(address) {
  shownBy = address;
  const part = await fetchPart(address, "stack-part").catch(() => null);
  if (part) body.replaceChildren(...part.childNodes);
  else body.textContent = _("It cannot be shown: the task does not run any more, or the server does not answer.");
  section.hidden = false;
}

function hide() {
  section.hidden = true;
  document.getElementById("stack")?.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a#stack");
  if (!link || !isPlain(event)) return;
  event.preventDefault();
  show(link.href).then(() => document.getElementById("stack-heading").focus());
});
document.getElementById("stack-again").addEventListener("click", () => show(shownBy));
document.getElementById("stack-close").addEventListener("click", hide);
