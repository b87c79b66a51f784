// The functions that would do better elsewhere: what is measured changes slowly, so that the server is
// asked anew only now and then.

import { fetchPart } from "./fragments.js";
import { at } from "./root.js";

const EVERY = 10000; // milliseconds

async function look() {
  const old = document.getElementById("misplaced");
  if (!old || document.hidden || old.contains(document.activeElement)) return;
  const part = await fetchPart(at("/misplaced"), "misplaced").catch(() => null);
  if (!part) return; // the connection's own state says so on the page
  const [before, more] = [old, part].map((each) => each.querySelector("details"));
  if (before && more) more.open = before.open;
  if (!part.isEqualNode(old)) old.replaceWith(part);
}

setInterval(look, EVERY);
