// What the server tells, to whoever on this page listens. The latest word is repeated to newcomers.

import { openStream } from "./stream.js";

const language = document.documentElement.lang;
const frameListeners = new Set();
const stateListeners = new Set();
const last = {};

export function onFrame(listener) {
  frameListeners.add(listener);
  if (last.frame) listener(last.frame);
}

// Tells "connecting", "live" or "lost", and since when (milliseconds since the epoch) it is lost.
export function onState(listener) {
  stateListeners.add(listener);
  if (last.state) listener(last.state, last.since);
}

function take({ state, since, frame }) {
  if (state && state !== last.state) {
    Object.assign(last, { state, since });
    stateListeners.forEach((listener) => listener(state, since));
  }
  if (frame) {
    last.frame = frame;
    frameListeners.forEach((listener) => listener(frame));
  }
}

function shareStream() {
  const address = `${document.body.dataset.stream}?lang=${language}`;
  const worker = new SharedWorker(address, { type: "module", name: `pooldeck ${language}` });
  worker.port.onmessage = (event) => take(event.data);
  worker.onerror = () => openStream(take, language); // it has shared workers, but no modules in them
  addEventListener("pagehide", () => worker.port.postMessage("bye"));
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

const isLive = "stream" in document.body.dataset; // not for who sees only a part of the server
if (isLive && "SharedWorker" in window) shareStream();
else if (isLive) openStream(take, language);
