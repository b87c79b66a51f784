"""A web site of this machine that serves only so many at a time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Site(ThreadingHTTPServer):
    request_queue_size = 256  # connections that wait to be accepted


@contextmanager
def saturating_site(latency: float, at_once: int) -> Iterator[str]:
    """Serve pages on a free port of 127.0.0.1 while the block runs.

    Args:
        latency: Seconds that each page takes.
        at_once: How many are made at a time; further ones wait.

    Yields:
        The site's address.
    """
    room = threading.BoundedSemaphore(at_once)

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with room:
                time.sleep(latency)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    with _Site(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
