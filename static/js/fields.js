// The parts of the deck's markup by their names, found once, and changed only where they differ.

const known = new WeakMap(); // element → its fields by name

export function field(element, name) {
  let fields = known.get(element);
  if (!fields) known.set(element, (fields = new Map()));
  if (!fields.has(name)) fields.set(name, element.querySelector(`[data-field="${name}"]`));
  return fields.get(name);
}

export function say(element, name, text) {
  const target = field(element, name);
  if (target.textContent !== text) target.textContent = text;
}

export function mark(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

export function flag(element, name, on) {
  if (element.hasAttribute(name) !== on) element.toggleAttribute(name, on);
}

// Has `list` show `elements` in their order; those that stay in place are not touched.
export function arrange(list, elements) {
  const wanted = new Set(elements);
  for (const element of [...list.children]) if (!wanted.has(element)) element.remove();
  elements.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
}
