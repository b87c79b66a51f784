// What of a page cannot be reached: text that is cut off with no way to scroll to it, text that lies
// over other text or over a control, what reaches out of the page, what scrolls without saying so, and
// what is named by nothing but a number.
// Evaluated in a page: `(exceptions) => [complaints]`; each exception is a selector with its reason.

(exceptions) => {
  const SLACK = 2; // pixels: fonts reach over their boxes by about one
  const CONTROLS = "progress, meter, input, select, textarea, canvas";
  const complaints = new Map(); // one for each place
  const excepted = (element, fault) =>
    exceptions.some(([name, selector]) => name === fault && element.closest(selector));
  const page = document.documentElement;

  const named = (element) => {
    const classes = [...element.classList].map((each) => `.${each}`).join("");
    return `${element.localName}${element.id && !/\d/.test(element.id) ? `#${element.id}` : ""}${classes}`;
  };
  const where = (element) =>
    [element.parentElement?.parentElement, element.parentElement, element]
      .filter((each) => each && each !== document.body && each !== page)
      .map(named)
      .join(" > ");
  const complain = (fault, element, text) => {
    const place = `${fault}: ${where(element)}`;
    if (!excepted(element, fault) && !complaints.has(place))
      complaints.set(place, `${place}: ${text.trim().replace(/\s+/g, " ").slice(0, 60)}`);
  };


  const once = (look) => {
    const known = new Map();
    return (element) => {
      if (!known.has(element)) known.set(element, look(element));
      return known.get(element);
    };
  };

  const shown = once(
    (element) =>
      element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
      !element.closest(".unseen, .skip, dialog:not([open])"),
  );

  // The whole text can be had from what is shortened on purpose.
  const toldInFull = (element) =>
    element.closest("[title], [aria-label]") !== null || element.closest("a[href], summary") !== null;
  const shortened = (style) => style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";

  const boxOf = once((element) => element.getBoundingClientRect());
  const styleOf = once((element) => {
    const style = getComputedStyle(element);
    const { display, position, overflowX, overflowY, textOverflow, webkitLineClamp } = style;
    const { scrollbarWidth, backgroundImage } = style;
    return { display, position, overflowX, overflowY, textOverflow, webkitLineClamp, scrollbarWidth, backgroundImage };
  });

  // What is seen of a rectangle within all that clips or scrolls it; `cut` is set where it is lost.
  const seen = (rect, element, text) => {
    let { left, right, top, bottom } = rect;
    for (let at = element; at && at !== page; at = at.parentElement) {
      const style = styleOf(at);
      if (style.position === "fixed") break;
      if (style.display === "inline" || style.display === "contents") continue;
      const [x, y] = [style.overflowX, style.overflowY];
      if (x === "visible" && y === "visible") continue;
      const box = boxOf(at);
      if (box.width <= 1 || box.height <= 1) return null; // it is there for those who listen
      const lostX = x !== "visible" && (right > box.right + SLACK || left < box.left - SLACK);
      const lostY = y !== "visible" && (bottom > box.bottom + SLACK || top < box.top - SLACK);
      const hiddenX = lostX && (x === "hidden" || x === "clip");
      const hiddenY = lostY && (y === "hidden" || y === "clip");
      if (hiddenX || hiddenY) {
        if (!(shortened(style) && toldInFull(element))) complain("cut off", element, text);
      }
      if (x !== "visible") [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
      if (y !== "visible") [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
      if (right - left < 1 || bottom - top < 1) return null;
    }
    return { left, right, top, bottom };
  };

  // What moves on its own over the rest is compared only with its like.
  const layer = once((element) => {
    for (let at = element; at && at !== page; at = at.parentElement)
      if (["fixed", "sticky"].includes(styleOf(at).position)) return at;
    return page;
  });

  const boxes = [];
  const add = (rect, element, text) => {
    if (rect.width < 1 || rect.height < 1) return;
    const found = seen(rect, element, text);
    if (!found) return;
    if (found.right > page.clientWidth + SLACK && layer(element) === page) complain("beyond the page", element, text);
    boxes.push({ ...found, element, text, layer: layer(element) });
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("script, style, template, option, textarea, noscript")) continue;
    if (!shown(element)) continue;
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) add(rect, element, node.data);
  }
  for (const control of document.querySelectorAll(CONTROLS))
    if (shown(control)) add(control.getBoundingClientRect(), control, control.localName);

  // A line of text is higher than its letters: only the middle of two boxes counts.
  const core = (box) => {
    const height = box.bottom - box.top;
    return { ...box, top: box.top + height * 0.22, bottom: box.bottom - height * 0.22 };
  };
  const sorted = boxes.map(core).sort((one, other) => one.top - other.top);
  sorted.forEach((one, index) => {
    for (let next = index + 1; next < sorted.length && sorted[next].top < one.bottom - 1; next += 1) {
      const other = sorted[next];
      if (one.layer !== other.layer || one.element === other.element) continue;
      if (one.element.contains(other.element) && one.element.matches(CONTROLS)) continue;
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (across > SLACK && down > SLACK && !excepted(other.element, "over one another"))
        complain("over one another", one.element, `${one.text} / ${other.text}`);
    }
  });

  if (page.scrollWidth > page.clientWidth) complain("wider than the page", document.body, `${page.scrollWidth}`);

  // Who scrolls sideways can be reached by keys, has a name, and shows a bar or fades.
  for (const element of document.querySelectorAll("body *")) {
    const style = styleOf(element);
    if (!["auto", "scroll"].includes(style.overflowX) || element.scrollWidth <= element.clientWidth + 1) continue;
    if (!shown(element) || element.localName === "textarea") continue;
    const reachable = element.tabIndex >= 0 || element.querySelector("a[href], button, input, select, summary");
    const name = element.localName === "pre" || element.ariaLabel || element.getAttribute("aria-labelledby") || element.closest("[aria-label]");
    const says = style.scrollbarWidth !== "none" || style.backgroundImage !== "none";
    if (!reachable || !name || !says) complain("scrolls and does not say so", element, `${reachable ? "" : "no way by keys "}${name ? "" : "no name "}${says ? "" : "no bar"}`);
  }

  // Who hears links one by one has to know what each number counts.
  for (const element of document.querySelectorAll("a[href], button")) {
    const name = element.ariaLabel ?? element.textContent;
    if (shown(element) && /^[\s\d.,:%×+-]+$/.test(name) && !element.title && !element.ariaLabelledByElements?.length)
      complain("named by a bare number", element, name);
  }
  return [...complaints.values()];
};
