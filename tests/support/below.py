"""A proxy that shows a server below the path /deck, and has nothing anywhere else."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final

ROOT_PATH: Final = "/deck"
_NOT_PASSED_ON: Final = {"transfer-encoding", "connection", "keep-alive"}


class _Handler(BaseHTTPRequestHandler):
    upstream: ClassVar[int]

    def do_GET(self) -> None:
        if not self.path.startswith(f"{ROOT_PATH}/"):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with closing(HTTPConnection("127.0.0.1", self.upstream)) as server:
            headers = {**dict(self.headers), "X-Forwarded-Prefix": ROOT_PATH}
            server.request(self.command, self.path.removeprefix(ROOT_PATH), body, headers)
            self._pass_on(server.getresponse())

    def do_POST(self) -> None:
        self.do_GET()

    def _pass_on(self, answer: HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _NOT_PASSED_ON:
                self.send_header(name, value)
        self.end_headers()
        try:
            while piece := answer.read1():
                self.wfile.write(piece)
        except ConnectionError:
            pass  # a browser that goes away, as from the stream

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def below_a_path(port: int) -> Iterator[str]:
    """Show the server at `port` of this machine below a path; yield the address of that."""
    handler = type("Handler", (_Handler,), {"upstream": port})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as proxy:
        proxy.daemon_threads = True
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{proxy.server_port}{ROOT_PATH}"
        proxy.shutdown()
        thread.join()
