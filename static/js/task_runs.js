// The strip of runs is one stop of the Tab key; the arrow keys go from run to run.

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

function runs() {
  return [...document.querySelectorAll("#runs a")];
}

function choose(chosen) {
  for (const run of runs()) run.setAttribute("tabindex", run === chosen ? "0" : "-1");
}

function setUp() {
  const all = runs();
  choose(all.find((run) => run === document.activeElement || run.hasAttribute("aria-current")) ?? all.at(-1));
}

document.addEventListener("keydown", (event) => {
  const run = event.target.closest("#runs a");
  const next = run && runs()[runs().indexOf(run) + STEPS[event.key]];
  if (!next) return;
  event.preventDefault();
  choose(next);
  next.focus();
});
// A phone shows a part of the strip: that with this task's run.
function showThis() {
  const run = document.querySelector("#runs [aria-current]");
  const box = run?.closest(".scroll");
  if (!box) return;
  const [here, frame] = [run.getBoundingClientRect(), box.getBoundingClientRect()];
  box.scrollLeft += here.left - frame.left - frame.width / 2;
}

document.addEventListener("exchanged", setUp);
setUp();
showThis();
