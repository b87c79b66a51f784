// Whether the page is live; when it is not, since when, and that what it shows is from then.

import { onState } from "./live.js";
import { _ } from "./words.js";
import { offsetName, wall } from "./zone.js";

const root = document.documentElement;
const connection = document.querySelector(".connection");
const banner = document.getElementById("lost");

function shown(since) {
  const [then, now] = [since, Date.now()].map(wall);
  const isToday = then.slice(0, 10) === now.slice(0, 10);
  return `${then.slice(isToday ? 11 : 0, 19).replace("T", " ")} ${offsetName(since)}`;
}

function words(state, time) {
  if (state === "live") return _("live");
  return state === "lost" ? _("lost since %(time)s", { time }) : _("connecting");
}

onState((state, since) => {
  const isLost = state === "lost";
  const time = isLost ? shown(since) : "";
  connection.dataset.connection = state;
  connection.querySelector('[data-field="connection"]').textContent = words(state, time);
  root.toggleAttribute("data-stale", isLost);
  banner.hidden = !isLost;
  banner.textContent = isLost
    ? _("The server has not been heard since %(time)s. What you see is from then; this page catches up by itself.", { time })
    : "";
});
