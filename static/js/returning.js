// Whoever goes back to a page finds the focus on the link by which it was left: each place in the
// browser's history remembers it. Browsers do so only where they have kept the whole page.

const KEY = "left_by";

document.addEventListener("click", (event) => {
  const link = event.target.closest("main a[id][href]");
  if (link) history.replaceState({ ...history.state, [KEY]: link.id }, "");
});

const [navigation] = performance.getEntriesByType("navigation");
if (navigation?.type === "back_forward" && history.state?.[KEY])
  document.getElementById(history.state[KEY])?.focus();
