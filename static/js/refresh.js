// Keeps a page that the server rendered true: when something on it may have changed, the page is
// fetched again and its parts marked data-live are exchanged. main[data-refresh] says when:
// "changes" (any task's), "task" (that of main[data-task]; until it is final, also its progress),
// "always" (every frame), "never".

import { onFrame, onState } from "./live.js";
import { catchUp } from "./ticking.js";

const PAUSE = 1000; // milliseconds between two fetches, at least
const SHARE = 20; // a page that the server takes long for is fetched less often: pause / time
const LONGEST = 10_000; // one answer that was slow does not leave a page old for a minute
const PROGRESS_PAUSE = 2000;
const main = document.getElementById("main");
let pending = false;
let fetching = false;
let caughtUp = false; // whether a frame has come since the connection was made

function concerns({ changed }) {
  if (!caughtUp || changed === null) return true;
  if (main.dataset.refresh === "always") return true;
  return main.dataset.refresh === "task" ? changed.includes(main.dataset.task) : changed.length > 0;
}

async function fetchPage() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok || response.redirected) return;
  const text = await response.text();
  exchange(new DOMParser().parseFromString(text, "text/html"));
}

function exchange(fresh) {
  if (fresh.body.dataset.stream !== document.body.dataset.stream) location.reload(); // other scripts
  if (main.dataset.refresh === "task") document.title = fresh.title; // it names the state
  for (const old of document.querySelectorAll("[data-live]")) {
    const part = fresh.getElementById(old.id);
    if (part && !part.isEqualNode(old) && !isInUse(old) && !isKept(old, part)) replace(old, document.adoptNode(part));
  }
  main.dataset.refresh = fresh.getElementById("main").dataset.refresh;
  catchUp();
}

// A part marked data-steady is asked first: whoever keeps it as it is takes the fresh one along.
function isKept(old, part) {
  if (!("steady" in old.dataset)) return false;
  return !old.dispatchEvent(new CustomEvent("exchanging", { bubbles: true, cancelable: true, detail: part }));
}

// Somebody who marks text to copy it keeps it, and what is being clicked stays until it is.
function isInUse(element) {
  const selection = getSelection();
  return element.matches(":active") || (!selection.isCollapsed && selection.containsNode(element, true));
}

export function replace(old, part) {
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  for (const details of old.querySelectorAll("details[id]")) {
    const same = part.querySelector(`#${CSS.escape(details.id)}`);
    if (same) same.open = details.open;
  }
  for (const input of old.querySelectorAll("input[id]")) {
    const same = part.querySelector(`#${CSS.escape(input.id)}`);
    if (same && input.value !== input.defaultValue) same.value = input.value; // typed, not sent yet
  }
  const scrolled = [...old.querySelectorAll("pre, .log, .scroll")].map((each) => [each.scrollTop, each.scrollLeft]);
  old.replaceWith(part);
  [...part.querySelectorAll("pre, .log, .scroll")].forEach((each, index) => {
    [each.scrollTop, each.scrollLeft] = scrolled[index] ?? [0, 0];
  });
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  part.dispatchEvent(new CustomEvent("exchanged", { bubbles: true }));
}

async function refresh() {
  pending = true;
  if (fetching || document.hidden || main.dataset.refresh === "never") return;
  fetching = true;
  while (pending && !document.hidden && main.dataset.refresh !== "never") {
    pending = false;
    const began = performance.now();
    await fetchPage().catch(() => {}); // the connection's own state says so on the page
    const pause = Math.min(Math.max(PAUSE, SHARE * (performance.now() - began)), LONGEST);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  fetching = false;
}

if (main.dataset.refresh) {
  onFrame((frame) => {
    if (concerns(frame)) refresh();
    caughtUp = true;
  });
  onState((state) => {
    caughtUp = caughtUp && state === "live";
  });
  document.addEventListener("visibilitychange", () => pending && refresh());
  setInterval(() => main.dataset.refresh === "task" && refresh(), PROGRESS_PAUSE);
}
