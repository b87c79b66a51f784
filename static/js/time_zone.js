// Whoever picks a zone from the list means it.

const list = document.querySelector('select[name="other"]');
list.addEventListener("change", () => {
  document.querySelector('input[name="zone"][value="other"]').checked = true;
});
