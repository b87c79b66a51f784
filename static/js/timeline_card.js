// What is known of a run: the card beside it, and a sentence for who does not see the picture.

import { NOTHING, duration, percent } from "./formats.js";
import { stateWord } from "./state_words.js";
import { _ } from "./words.js";

const MARGIN = 12; // pixels between the pointer and the card

export const secondsOf = (bar, now) => Math.max((bar.end ?? now) - bar.start, 0) / 1000;
export const slotOf = ({ worker, thread }) => (thread === null ? worker : `${worker} #${thread}`);

export function cpuOf(bar, now) {
  const seconds = secondsOf(bar, now);
  return bar.cpu === null || !seconds ? NOTHING : percent((100 * bar.cpu) / seconds);
}

export function sentence(bar, now) {
  return _("%(function)s, %(state)s, %(run)s in %(slot)s", {
    function: bar.name, state: stateWord(bar.look), run: duration(secondsOf(bar, now)), slot: slotOf(bar),
  });
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function facts(bar, now) {
  return [
    [_("state"), stateWord(bar.look)],
    [_("task"), bar.task],
    [_("slot"), slotOf(bar)],
    [_("wait"), duration(bar.wait)],
    [_("run"), duration(secondsOf(bar, now))],
    [_("CPU"), cpuOf(bar, now)],
  ];
}

// Shows the card of a bar, or the words of a mark in time, near a place of the plot.
export class TimelineCard {
  constructor(card) {
    this.card = card;
  }

  showBar(bar, now, x, y) {
    const list = document.createElement("dl");
    for (const [name, value] of facts(bar, now)) list.append(element("dt", name), element("dd", value));
    this.show([element("b", bar.name), list], x, y);
  }

  showWords(words, x, y) {
    this.show(words.map((each) => element("p", each)), x, y);
  }

  show(content, x, y) {
    this.card.replaceChildren(...content);
    this.card.hidden = false;
    const { clientWidth, clientHeight, scrollTop } = this.card.parentElement;
    const { offsetWidth, offsetHeight } = this.card;
    const left = x + MARGIN + offsetWidth > clientWidth ? x - MARGIN - offsetWidth : x + MARGIN;
    const top = y + MARGIN + offsetHeight > clientHeight ? y - MARGIN - offsetHeight : y + MARGIN;
    this.card.style.left = `${Math.max(Math.min(left, clientWidth - offsetWidth), 0)}px`;
    this.card.style.top = `${Math.max(top, 0) + scrollTop}px`;
  }

  hide() {
    this.card.hidden = true;
  }
}
