// Shows what a form says as texts to copy, without leaving the page; what is typed on makes them old.

import { fetchPart } from "./fragments.js";

const button = document.getElementById("spell");
const form = button?.form;
let isForBrowser = false; // the server refused: its page says what is wrong, beside the fields

function clear() {
  document.getElementById("snippets").replaceChildren();
}

async function spell() {
  const body = new URLSearchParams(new FormData(form));
  const fresh = await fetchPart(button.formAction, "snippets", { method: "POST", body }).catch(() => null);
  if (fresh) {
    document.getElementById("snippets").replaceWith(fresh);
    fresh.dispatchEvent(new CustomEvent("exchanged", { bubbles: true }));
  } else {
    isForBrowser = true;
    form.requestSubmit(button);
  }
}

if (form) {
  form.addEventListener("input", clear);
  form.addEventListener("submit", (event) => {
    if (event.submitter !== button || isForBrowser) return;
    event.preventDefault();
    spell();
  });
}
