// What tells how a run ended, by shape and not by colour alone: the marks of css/marks.css, drawn.

const SIZE = 9; // pixels
const APART = 5; // between the ends of two marks, at least

// The bars that are not simply filled; returns whether this is one.
export function drawSpecial({ pen, theme }, bar, { left, width, y, height }) {
  if (bar.look === "abandoned") {
    pen.fillStyle = theme.amber;
    pen.fillRect(left, y, width, height);
    pen.strokeStyle = theme.warn;
    pen.lineWidth = 1;
    pen.strokeRect(left + 0.5, y + 0.5, Math.max(width - 1, 0), height - 1);
    return true;
  }
  if (bar.look === "cancelled") {
    pen.fillRect(left, y + height / 4, width, height / 2);
    return true;
  }
  return false;
}

// Draws the mark of an end, unless one stands there already; returns whether it did.
export function drawMark({ pen, theme }, bar, { left, width, y, height }, marked) {
  const mark = MARKS[bar.look];
  const end = left + width;
  if (!mark || end - marked < APART) return false;
  const size = Math.min(SIZE, height);
  const x = width > size + 4 ? end - size - 2 : end - width / 2 - size / 2;
  mark(pen, theme, { x, y: y + (height - size) / 2, size, end, top: y, height });
  return true;
}

function plate(pen, theme, { x, y, size }) {
  pen.fillStyle = theme.surface;
  pen.fillRect(x - 1.5, y - 1.5, size + 3, size + 3);
}

const MARKS = {
  failed(pen, theme, box) {
    plate(pen, theme, box);
    pen.fillStyle = theme.failed;
    pen.beginPath();
    pen.moveTo(box.x + box.size / 2, box.y);
    pen.lineTo(box.x + box.size, box.y + box.size);
    pen.lineTo(box.x, box.y + box.size);
    pen.fill();
  },
  crashed(pen, theme, box) {
    pen.fillStyle = theme.failed;
    pen.fillRect(box.x - 1.5, box.y - 1.5, box.size + 3, box.size + 3);
    pen.strokeStyle = "#000";
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(box.x, box.y);
    pen.lineTo(box.x + box.size, box.y + box.size);
    pen.moveTo(box.x + box.size, box.y);
    pen.lineTo(box.x, box.y + box.size);
    pen.stroke();
  },
  lost(pen, theme, box) {
    plate(pen, theme, box);
    pen.save();
    pen.fillStyle = theme.lost;
    pen.font = "800 12px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.fillText("?", box.x + box.size / 2, box.y + box.size / 2 + 0.5);
    pen.restore();
  },
  running(pen, theme, { end, top, height }) {
    pen.fillStyle = theme.accent;
    pen.fillRect(end - 1, top - 1, 3, height + 2);
  },
};
