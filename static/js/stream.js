// One connection to the server's events, which never gives up. It tells every frame, and its state:
// "connecting", "live", or "lost" with `since`, the moment (milliseconds since the epoch) that the
// server was last heard.

import { at } from "./root.js";

const SILENCE = 10_000; // milliseconds; frames come about each second
const PAUSES = [500, 1000, 2000, 4000, 8000]; // milliseconds before the next try

export function openStream(tell, language) {
  const last = { state: "connecting" };
  let source;
  let watchdog;
  let heardAt = Date.now();
  let tries = 0;

  function say(message) {
    Object.assign(last, message);
    tell(message);
  }

  function listen() {
    clearTimeout(watchdog);
    watchdog = setTimeout(lose, SILENCE);
  }

  function hear(event) {
    heardAt = Date.now();
    tries = 0;
    listen();
    say({ state: "live", frame: JSON.parse(event.data) });
  }

  // Refused, cut off or silent: in each case a fresh connection is what helps.
  function lose() {
    source.close();
    clearTimeout(watchdog);
    if (last.state !== "lost") say({ state: "lost", since: heardAt });
    setTimeout(connect, PAUSES[Math.min(tries, PAUSES.length - 1)]);
    tries += 1;
  }

  function connect() {
    source = new EventSource(at(`/api/v1/events?lang=${language}`));
    source.addEventListener("deck", hear);
    source.onerror = lose;
    listen();
  }

  connect();
  return last;
}
