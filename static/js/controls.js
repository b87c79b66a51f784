// The switch of themes and the buttons that copy; without JavaScript they stay hidden.

import { _ } from "./words.js";

function setUpTheme() {
  const select = document.getElementById("theme");
  select.value = document.documentElement.dataset.theme ?? "system";
  select.closest("label").hidden = false;
  select.addEventListener("change", () => {
    if (select.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = select.value;
    localStorage.setItem("pooldeck-theme", select.value);
    dispatchEvent(new Event("themechange"));
  });
}

// Browsers let only secure pages copy: https, or this machine.
function showCopyButtons() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  button.textContent = _("Copied");
});
document.addEventListener("exchanged", showCopyButtons);
setUpTheme();
showCopyButtons();
