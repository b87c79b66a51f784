// Runs before the page is drawn, so that a chosen theme never flashes the other one.
try {
  const theme = localStorage.getItem("pooldeck-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: the system's theme stays.
}
