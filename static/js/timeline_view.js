// The stretch of time in view: it follows the present or stands still; the address tells which.
// Times are milliseconds since the epoch.

const SHORTEST = 2; // milliseconds
const LONGEST = 7 * 86_400_000;

export class TimelineView {
  constructor({ from, span, live }, changed) {
    Object.assign(this, { from, span, live });
    this.changed = changed;
    this.skew = 0; // of the server's clock against this one
  }

  get now() {
    return Date.now() + this.skew;
  }

  get to() {
    return this.from + this.span;
  }

  // Moves along with the present, if that is what it does.
  advance() {
    if (this.live) this.from = this.now - this.span;
  }

  // Shows `factor` times as much; the time `at` stays where it is.
  zoom(factor, at = this.live ? this.to : this.from + this.span / 2) {
    const span = Math.min(Math.max(this.span * factor, SHORTEST), LONGEST);
    const share = (at - this.from) / this.span;
    if (this.live && share < 0.98) this.live = false;
    this.span = span;
    this.from = this.live ? this.now - span : at - share * span;
    this.tell();
  }

  pan(milliseconds) {
    this.live = false;
    this.from = Math.min(this.from + milliseconds, this.now - this.span / 2);
    this.tell();
  }

  follow(live) {
    this.live = live;
    this.advance();
    this.tell();
  }

  tell() {
    const query = new URLSearchParams(location.search);
    query.set("span", String(Number((this.span / 1000).toPrecision(6))));
    if (this.live) query.delete("from");
    else query.set("from", new Date(this.from).toISOString());
    history.replaceState(null, "", `?${query}`);
    this.changed();
  }
}
