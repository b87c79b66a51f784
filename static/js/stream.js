// One connection to the server's events, which never gives up: it tells its state ("live",
// "reconnecting", "offline") and every frame.

const RETRY_MILLISECONDS = 3000;

export function openStream(tell) {
  const last = {};
  const say = (message) => tell(Object.assign(last, message) && message);

  function connect() {
    const source = new EventSource("/api/v1/events");
    source.onopen = () => say({ state: "live" });
    source.addEventListener("deck", (event) => say({ frame: JSON.parse(event.data) }));
    source.onerror = () => {
      const refused = source.readyState === EventSource.CLOSED; // an answer that is no stream
      say({ state: refused ? "offline" : "reconnecting" });
      if (refused) setTimeout(connect, RETRY_MILLISECONDS);
    };
  }

  connect();
  return last;
}
