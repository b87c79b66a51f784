// Tells the server which time zone this browser is in, by a cookie: for those who have not chosen another one. A page that
// was rendered in another zone is loaded anew, once, before anybody has read it.

import { at } from "./root.js";

const DAYS = 365;
const KEPT = "pooldeck-browser-zone";
const { zoneChoice, zone, method } = document.documentElement.dataset;

function kept() {
  return document.cookie.split("; ").find((each) => each.startsWith(`${KEPT}=`))?.slice(KEPT.length + 1);
}

const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const value = own?.replaceAll("/", ":");
if (value && kept() !== value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${KEPT}=${value}; path=${at("") || "/"}; max-age=${DAYS * 86_400}; samesite=strict${secure}`;
  // Where cookies are refused, or the answer was to a form, the page stays: it names its zone.
  if (kept() === value && zoneChoice === "local" && method === "GET" && own !== zone) location.reload();
}
