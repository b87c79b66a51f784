"""Follows the stream of a server on a thread, and has the latest of it; what is lost it awaits."""

import json
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any, Final

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.remote.server import RefusedError, RemoteServer, ServerError
from pooldeck_server.remote.top.snapshot import FailureRow, Snapshot

_DATA: Final = "data: "
_RETRY: Final = 1.0  # seconds between two tries to reach the server
_FAILURES: Final = 5  # groups
_REFRESH: Final = 10.0  # seconds after which failures are asked for again in any case


class Feed:
    """The latest snapshot, taken on a thread until it is stopped.

    Attributes:
        snapshot: The latest; None until there is one.
        taken_at: When it came, by the monotonic clock.
        failures: Groups of failures, those seen last first.
        trouble: Why nothing comes, None while it does.
    """

    def __init__(self, server: RemoteServer, changed: Callable[[], None]) -> None:
        self.snapshot: Snapshot | None = None
        self.taken_at = 0.0
        self.failures: tuple[FailureRow, ...] = ()
        self.trouble: str | None = None
        self._server, self._changed = server, changed
        self._asked_at = 0.0
        self._is_over = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take no more; the thread ends when its answer does, which closing the server causes."""
        self._is_over.set()

    def _run(self) -> None:
        while not self._is_over.is_set():
            try:
                for frame in frames(self._server):
                    self._take(frame)
                self.trouble = "the server has ended the stream"
            except Complaint as complaint:
                self.trouble = " ".join(complaint.lines)
            except (ValueError, KeyError, TypeError, RuntimeError) as error:
                self.trouble = f"what answers there cannot be understood: {error}"
            if not self._is_over.is_set():
                self._changed()
            self._is_over.wait(_RETRY)

    def _take(self, frame: dict[str, Any]) -> None:
        before, self.snapshot = self.snapshot, Snapshot.of(frame)
        self.taken_at, self.trouble = time.monotonic(), None
        has_more = before is None or before.failed != self.snapshot.failed
        if has_more or self.taken_at - self._asked_at > _REFRESH:
            self._asked_at = self.taken_at
            self.failures = failures(self._server)
        self._changed()


def frames(server: RemoteServer) -> Iterator[dict[str, Any]]:
    """Yield the frames of the stream as they come.

    Raises:
        ServerError: If the server cannot be reached, or refuses.
    """
    with server.lines("GET", "/events") as lines:
        for line in lines:
            if line.startswith(_DATA):
                yield json.loads(line.removeprefix(_DATA))


def one_frame(server: RemoteServer) -> dict[str, Any]:
    """Return the frame of this moment. Raises as `frames`."""
    for frame in frames(server):
        return frame
    raise ServerError(f"{server.url} ends: it tells nothing more")


def failures(server: RemoteServer) -> tuple[FailureRow, ...]:
    """Return groups of failures, those seen last first; none where they are not for us."""
    try:
        found = server.get("/errors", {"limit": _FAILURES})["items"]
    except RefusedError:
        return ()
    return tuple(map(FailureRow.of, found))
