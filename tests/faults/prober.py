"""Asks for the server's health all the time, from a thread of its own."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

_PAUSE = 0.02  # seconds between an answer and the next question
_PATIENCE = 120.0  # seconds


class Prober:
    """How long each answer took; those that never came, since nobody listened, do not count."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.wrong: list[str] = []
        self._is_away = False

    @property
    def p99(self) -> float:
        """Return the 99th percentile in seconds."""
        assert self.seconds, "nothing was measured"
        return sorted(self.seconds)[len(self.seconds) * 99 // 100]

    @contextmanager
    def away(self) -> Iterator[None]:
        """Measure nothing while the body runs: it makes an answer impossible."""
        self._is_away = True
        try:
            yield
        finally:
            self._is_away = False

    def probe(self, url: str) -> None:
        """Ask once, over a connection of its own."""
        was_away = self._is_away
        began = time.monotonic()
        try:
            status = _status(url)
        except TimeoutError:
            status = None
        except (OSError, http.client.HTTPException):
            return
        if was_away or self._is_away:
            return
        self.seconds.append(time.monotonic() - began)
        if status != http.client.OK:
            self.wrong.append(f"/healthz answered {status or 'nothing'}")


def _status(url: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_PATIENCE)
    with closing(connection):
        connection.request("GET", "/healthz")
        return connection.getresponse().status


@contextmanager
def probing(url: Callable[[], str]) -> Iterator[Prober]:
    """Ask the server at `url()` while the body runs."""
    prober, over = Prober(), threading.Event()

    def ask() -> None:
        while not over.wait(_PAUSE):
            prober.probe(url())

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield prober
    finally:
        over.set()
        thread.join()
