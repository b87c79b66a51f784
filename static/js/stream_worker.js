// Shares one stream among all tabs of a browser, which may open only six connections to a server.

import { openStream } from "./stream.js";

const ports = new Set();
const tell = (message) => ports.forEach((port) => port.postMessage(message));
const last = openStream(tell, new URL(self.location).searchParams.get("lang"));

self.onconnect = ({ ports: [port] }) => {
  ports.add(port);
  port.onmessage = () => ports.delete(port); // the only thing a tab says is that it goes
  port.postMessage(last);
};
