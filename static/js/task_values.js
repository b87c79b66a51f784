// Copies arguments and results exactly as they are stored, not as the page breaks their lines.

import { _ } from "./words.js";

// Browsers let only secure pages copy: https, or this machine.
function showButtons() {
  if (!navigator.clipboard || !("ClipboardItem" in window)) return;
  for (const button of document.querySelectorAll("[data-copy-from]")) button.hidden = false;
}

async function stored(address) {
  const response = await fetch(address);
  return new Blob([await response.text()], { type: "text/plain" });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-from]");
  if (!button) return;
  // As a promise: some browsers forget the click while the text is fetched.
  const item = new ClipboardItem({ "text/plain": stored(button.dataset.copyFrom) });
  await navigator.clipboard.write([item]);
  button.textContent = _("Copied");
});
document.addEventListener("exchanged", showButtons);
showButtons();
