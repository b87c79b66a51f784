// Opens what an address within the page leads to, if it is folded.

function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.matches("details")) target.open = true;
}

addEventListener("hashchange", open);
open();
