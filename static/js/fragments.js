// Parts of pages that the server renders and scripts put in their place.

// The element `id` of the page or fragment at `address`; null where the server refuses.
export async function fetchPart(address, id, options = {}) {
  const response = await fetch(address, { headers: { accept: "text/html" }, ...options });
  if (!response.ok) return null;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const part = page.getElementById(id);
  return part && document.adoptNode(part);
}

// A click that asks for this page, not for a new tab or a download.
export function isPlain(event) {
  return event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
}
