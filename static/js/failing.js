// What fails now: asked for anew soon after something has failed, and now and then as time passes.

import { fetchPart } from "./fragments.js";
import { onFrame } from "./live.js";
import { at } from "./root.js";

const EVERY = 15000; // milliseconds
const PAUSE = 2000; // between two looks, at least
let seen = null;
let looked = -PAUSE;
let timer = 0;

async function look() {
  clearTimeout(timer);
  timer = setTimeout(look, EVERY);
  const old = document.getElementById("failing");
  if (document.hidden || old.matches(":active")) return;
  looked = performance.now();
  const pool = new URLSearchParams(location.search).get("pool") ?? "";
  const part = await fetchPart(`${at("/failing")}?${new URLSearchParams({ pool })}`, "failing").catch(() => null);
  if (!part || part.isEqualNode(old)) return; // if there is none, the connection's own state says so
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  const scrolled = old.scrollTop;
  old.replaceWith(part);
  part.scrollTop = scrolled;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

onFrame(({ window: { failed, lost } }) => {
  const now = `${failed} ${lost}`;
  if (seen !== null && seen !== now) {
    clearTimeout(timer);
    timer = setTimeout(look, Math.max(0, looked + PAUSE - performance.now()));
  }
  seen = now;
});
timer = setTimeout(look, EVERY);
document.addEventListener("visibilitychange", () => document.hidden || look());
