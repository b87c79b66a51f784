// The notices above every page. The server renders them, since it knows what their reader may do; when
// a frame says otherwise than the page, they are fetched anew. The title and the icon of the tab tell
// of the critical ones.

import { fetchPart } from "./fragments.js";
import { onFrame } from "./live.js";
import { at, pathHere } from "./root.js";
import { countFrom, catchUp } from "./ticking.js";

const PAUSE = 500; // milliseconds between two fetches, at least
const icon = document.getElementById("favicon");
let due = false;
let fetching = false;

const box = () => document.getElementById("notices-box");
const items = () => [...box().querySelectorAll(".notice")];
const tidy = (text) => text.replace(/\s+/g, " ").trim();
const field = (item, name) => tidy(item.querySelector(`[data-field="${name}"]`).textContent);

const shown = (item) => [item.dataset.key, field(item, "subject"), field(item, "text"), Boolean(item.closest("#notices-seen"))].join("\n");
const told = ({ key, subject, text, seen }) => [key, tidy(subject), tidy(text), seen !== null].join("\n");

function showInTab() {
  const { critical, isCritical } = box().dataset;
  const title = document.title.replace(/^\(\d+\) /, "");
  const wanted = critical === "0" ? title : `(${critical}) ${title}`;
  if (document.title !== wanted) document.title = wanted;
  const href = icon.getAttribute("href").replace(/[^/]+$/, isCritical === undefined ? "favicon.svg" : "favicon-critical.svg");
  if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
}

function exchange(part) {
  const old = box();
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  for (const details of old.querySelectorAll("details[id]")) {
    const same = part.querySelector(`#${CSS.escape(details.id)}`);
    if (same) same.open = details.open;
  }
  if (!old.querySelector("#notices-fold") && document.body.dataset.section === "deck") {
    part.querySelector("#notices-fold")?.setAttribute("open", "");
  }
  old.replaceWith(part);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  catchUp();
  showInTab();
}

async function refresh() {
  due = true;
  if (fetching) return;
  fetching = true;
  while (due) {
    due = false;
    const address = `${at("/notices")}?${new URLSearchParams({ page: pathHere() })}`;
    const part = await fetchPart(address, "notices-box").catch(() => null);
    if (part) exchange(part); // otherwise the connection's own state says so on the page
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  fetching = false;
}

// What somebody has seen is sent without leaving the page.
async function see(event) {
  const form = event.target.closest("form");
  if (!form?.getAttribute("action")?.endsWith("seen") || !box().contains(form)) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
  if (answer === null || answer.status >= 400) form.submit();
  else refresh();
}

function countDown(notices) {
  const present = new Map(items().map((item) => [item.dataset.key, item]));
  for (const { key, left } of notices) {
    const element = present.get(key)?.querySelector("[data-remaining]");
    if (element && left != null) countFrom(element, left);
  }
}

const inOrder = (notices) => [...notices.filter(({ seen }) => !seen), ...notices.filter(({ seen }) => seen)];

if (box()) {
  document.addEventListener("submit", see);
  onFrame(({ notices }) => {
    const same = inOrder(notices).map(told).join("\0") === items().map(shown).join("\0");
    if (same) countDown(notices);
    else refresh();
    showInTab();
  });
}
