// Finds functions while one types: the server answers, and the address says what is shown.

import { at } from "./root.js";

const box = document.getElementById("find");
let wanted = location.href; // the address whose list is shown or on its way

function addressOf(text) {
  const address = new URL(at("/functions"), location.href);
  const sort = new URLSearchParams(location.search).get("sort");
  if (text.trim()) address.searchParams.set("q", text);
  if (sort) address.searchParams.set("sort", sort);
  return address.href;
}

async function show(address) {
  wanted = address;
  const response = await fetch(address, { headers: { accept: "text/html" } }).catch(() => null);
  if (!response?.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  if (wanted !== address) return; // somebody has typed on
  history.replaceState(null, "", address);
  document.getElementById("functions").replaceWith(document.adoptNode(fresh.getElementById("functions")));
}

function catchUp() {
  if (box.value !== document.getElementById("functions").dataset.wanted) show(addressOf(box.value));
}

if (box) {
  box.addEventListener("input", () => show(addressOf(box.value)));
  document.addEventListener("exchanged", catchUp); // by a page that was on its way before
  catchUp(); // with what was typed before this script was there
}
