// Pointer, wheel, fingers and keys over the picture: what they mean is told to `act`.

const ZOOM = 1.25;
const PAN = 0.2; // of what is in view
const CLICK = 4; // pixels that a pointer may move and still click

export function listen(canvas, act) {
  listenToWheel(canvas, act);
  listenToPointers(canvas, act);
  canvas.addEventListener("keydown", (event) => onKey(event, act));
  canvas.addEventListener("blur", () => act.leave());
}

// Where the rows do not fit, the wheel scrolls them, and zooms with Ctrl; a pinch comes as such a wheel.
function listenToWheel(canvas, act) {
  canvas.addEventListener("wheel", (event) => {
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!isSideways && !event.ctrlKey && act.scrolls()) return;
    event.preventDefault();
    if (isSideways) act.pan((event.deltaX || event.deltaY) / canvas.clientWidth);
    else act.zoom(1.002 ** event.deltaY, event.offsetX);
  }, { passive: false });
}

function listenToPointers(canvas, act) {
  const pointers = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pointers.set(event.pointerId, event.offsetX);
    moved = 0;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return act.hover(event.offsetX, event.offsetY);
    const before = [...pointers.values()];
    moved += Math.abs(event.offsetX - pointers.get(event.pointerId));
    pointers.set(event.pointerId, event.offsetX);
    if (moved > CLICK) drag(canvas, act, before, [...pointers.values()]);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (pointers.has(event.pointerId) && moved <= CLICK) act.click(event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      pointers.delete(event.pointerId);
      canvas.toggleAttribute("data-dragged", false);
    });
  }
  canvas.addEventListener("pointerleave", () => act.leave());
}

function drag(canvas, act, [one, other], [oneNow, otherNow]) {
  canvas.toggleAttribute("data-dragged", true);
  if (other === undefined) act.pan((one - oneNow) / canvas.clientWidth);
  else act.zoom(Math.abs(one - other) / Math.max(Math.abs(oneNow - otherNow), 1), (oneNow + otherNow) / 2);
}

function onKey(event, act) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const deed = {
    "+": () => act.zoom(1 / ZOOM),
    "=": () => act.zoom(1 / ZOOM),
    "-": () => act.zoom(ZOOM),
    " ": () => act.toggle(),
    Enter: () => act.open(),
    Escape: () => act.leave(),
    ArrowLeft: () => (event.shiftKey ? act.pan(-PAN) : act.go(-1, 0)),
    ArrowRight: () => (event.shiftKey ? act.pan(PAN) : act.go(1, 0)),
    ArrowUp: () => act.go(0, -1),
    ArrowDown: () => act.go(0, 1),
  }[event.key];
  if (!deed) return;
  event.preventDefault();
  event.stopPropagation();
  deed();
}
