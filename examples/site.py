"""A web site of this machine, slow on purpose: something to fetch without leaving the house."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def slow_site(latency: float) -> Iterator[str]:
    """Serve pages on a free port of 127.0.0.1 for as long as the block runs.

    Args:
        latency: Seconds that each page takes to answer.

    Yields:
        The site's address, without a slash at the end.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(latency)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _handler(latency: float) -> type[BaseHTTPRequestHandler]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(latency)
            body = f"<title>Page {self.path}</title>".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name there)
            """Say nothing: the task's own log is about what it fetched."""

    return Page
