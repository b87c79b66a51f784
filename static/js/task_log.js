// Lets the log grow while its task runs: new lines are put under those that are there, and one that
// was not finished is replaced by what it has become. It follows its end unless somebody has scrolled
// up, and fetches earlier lines into their place.

import { fetchPart, isPlain } from "./fragments.js";

const PAUSE = 1000; // milliseconds between two looks
const CLOSE = 24; // pixels from the end that still count as the end
const MOST_AGAIN = 20; // lines that are asked for again
const asked = new URLSearchParams(location.search);
if (document.getElementById("log-problem")) leaveOut("level"); // as the server has done
let isUpToDate = false; // whether nothing has come since the task ended
let fetching = false;

const lines = () => document.getElementById("log-lines");
const task = () => document.getElementById("task");

function leaveOut(name) {
  asked.delete(name);
  history.replaceState(history.state, "", `${location.pathname}${asked.size ? `?${asked}` : ""}${location.hash}`);
}

function isAtEnd(list) {
  return list.scrollHeight - list.scrollTop - list.clientHeight < CLOSE;
}

function toEnd(list) {
  list.scrollTop = list.scrollHeight;
}

function address(list) {
  const query = new URLSearchParams({ attempt: list.dataset.attempt, after: list.dataset.last });
  const unfinished = [...list.querySelectorAll("[data-open]")].slice(-MOST_AGAIN);
  for (const line of unfinished) query.append("again", line.dataset.n);
  for (const name of ["level", "find"]) if (asked.has(name)) query.set(name, asked.get(name));
  return `${list.dataset.from}?${query}`;
}

// Appends what came since; tells whether there is more of it.
async function append() {
  const list = lines();
  const part = await fetchPart(address(list), "log-lines");
  if (!part || !part.childElementCount) return false;
  const follows = isAtEnd(list);
  const last = Number(list.dataset.last);
  for (const line of part.querySelectorAll("[data-n]")) if (line.dataset.n <= last) renew(list, line);
  list.dataset.last = Math.max(last, part.dataset.last);
  rewriteEnd(list, list.querySelector(`[data-n="${last}"]`), part);
  if (follows) toEnd(list);
  return !("end" in part.dataset);
}

// Puts a line into the place of the one of its number, if there is one.
function renew(list, line) {
  const before = list.querySelector(`[data-n="${line.dataset.n}"]`);
  if (!before || before.isEqualNode(line)) line.remove();
  else before.replaceWith(line);
}

// Puts lines behind the last one that was finished, in place of those that were not.
function rewriteEnd(list, last, part) {
  const before = [...list.children].slice([...list.children].indexOf(last) + 1);
  const isSame = before.length === part.childElementCount && before.every((each, at) => each.isEqualNode(part.children[at]));
  if (isSame) return;
  before.forEach((each) => each.remove());
  list.append(...part.childNodes);
}

// Another attempt has begun: its log takes the place of the one before.
async function exchange() {
  const fresh = await fetchPart(location.href, "log");
  if (fresh) document.getElementById("log").replaceWith(fresh);
}

async function look() {
  const list = lines();
  const attempt = task().dataset.attempt;
  const isOther = attempt !== list.dataset.attempt;
  if (isOther && asked.has("attempt")) return;
  if (isOther) await exchange();
  else if ("end" in list.dataset) while (await append());
}

async function keepUp() {
  const isFinal = task().dataset.final === "yes";
  if (fetching || document.hidden || (isFinal && isUpToDate)) return;
  fetching = true;
  await look().then(() => (isUpToDate = isFinal), () => {}); // the connection's state says what is wrong
  fetching = false;
}

async function prepend(link) {
  const list = lines();
  const part = await fetchPart(`${list.dataset.from}${new URL(link.href).search}`, "log-lines");
  if (!part) return;
  const before = list.scrollHeight - list.scrollTop;
  list.prepend(...part.childNodes);
  list.scrollTop = list.scrollHeight - before; // what was looked at stays where it is
  if (part.dataset.earlier) link.href = part.dataset.earlier;
  else [link.parentElement, document.getElementById("log-beginning")].forEach((each) => each?.remove());
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a#earlier");
  if (!link || !isPlain(event)) return;
  event.preventDefault();
  prepend(link).catch(() => location.assign(link.href));
});

// An address may name a line that is not on the page: then the part of the log that has it is shown.
function showLine() {
  const number = location.hash.match(/^#line-([1-9]\d*)$/)?.[1];
  if (!number) return false;
  const line = document.getElementById(`line-${number}`);
  if (line) line.scrollIntoView({ block: "center" });
  else if (asked.get("line") !== number) {
    const attempt = lines().dataset.attempt;
    location.replace(`${location.pathname}?${new URLSearchParams({ attempt, line: number })}#line-${number}`);
  }
  return true;
}

addEventListener("hashchange", showLine);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.log-n");
  if (!link || !isPlain(event)) return;
  event.preventDefault(); // it is here already
  location.hash = new URL(link.href).hash;
});

if (!showLine() && "end" in lines().dataset) toEnd(lines());
isUpToDate = task().dataset.final === "yes";
setInterval(keepUp, PAUSE);
