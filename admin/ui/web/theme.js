// Sets the theme before the first paint, so that nothing flashes. The choice is "light", "dark", or none for the system's.
(function () {
  try {
    const chosen = localStorage.getItem("haldane.theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage may be forbidden; the system's theme will do.
  }
})();
