// What the server tells, to whoever on this page listens. The latest word is repeated to newcomers.

import { openStream } from "./stream.js";

const frameListeners = new Set();
const stateListeners = new Set();
const last = {};

export function onFrame(listener) {
  frameListeners.add(listener);
  if (last.frame) listener(last.frame);
}

export function onState(listener) {
  stateListeners.add(listener);
  if (last.state) listener(last.state);
}

function take({ state, frame }) {
  if (state) {
    last.state = state;
    stateListeners.forEach((listener) => listener(state));
  }
  if (frame) {
    last.frame = frame;
    frameListeners.forEach((listener) => listener(frame));
  }
}

function shareStream() {
  const worker = new SharedWorker(document.body.dataset.stream, { type: "module", name: "pooldeck" });
  worker.port.onmessage = (event) => take(event.data);
  worker.onerror = () => openStream(take); // the browser has shared workers, but no modules in them
  addEventListener("pagehide", () => worker.port.postMessage("bye"));
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

if ("SharedWorker" in window) shareStream();
else openStream(take);
