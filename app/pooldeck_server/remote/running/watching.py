"""Listens for the ends of tasks in a thread of its own, also beyond a restart of the server."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from msgspec import Struct

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.remote.patience import PATIENCE, is_worth_waiting
from pooldeck_server.remote.server import RemoteServer, ServerError

_PAUSE: Final = 0.5  # seconds between two attempts to find it


class OpenedWatch(Struct, frozen=True):
    """A watch that is open, and watches nothing yet."""

    watch: str


class HeardEnds(Struct, frozen=True):
    """Tasks that have ended, as the API has them, and ids that are no tasks."""

    ends: list[dict[str, Any]]
    unknown: list[str]


class Gone(Struct, frozen=True):
    """Nothing more will be heard, for this reason."""

    complaint: Complaint


Tell = Callable[[OpenedWatch | HeardEnds | Gone], None]


@contextmanager
def listening(server: RemoteServer, tell: Tell) -> Iterator[None]:
    """Tell what is heard, from another thread, while the body runs."""
    is_over = threading.Event()
    listener = _Listener(server, tell, is_over)
    threading.Thread(target=listener.listen, daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


class _Listener:
    """Opens a watch, and another one where that ends before it is over."""

    def __init__(self, server: RemoteServer, tell: Tell, is_over: threading.Event) -> None:
        self._server, self._tell, self._is_over = server, tell, is_over
        self._heard_at = time.monotonic()

    def listen(self) -> None:
        while not self._is_over.is_set():
            try:
                self._watch()
            except Complaint as complaint:
                if not self._is_patient_with(complaint):
                    self._tell(Gone(complaint))
                    return
            except (RuntimeError, ValueError) as error:  # closed; or it speaks another language
                self._tell(Gone(Complaint(f"what the server says cannot be read: {error}")))
                return
            self._is_over.wait(_PAUSE)

    def _watch(self) -> None:
        with self._server.lines("POST", "/watches", {"ids": []}) as lines:
            for line in lines:
                self._heard_at = time.monotonic()
                self._tell_of(json.loads(line))

    def _tell_of(self, said: dict[str, Any]) -> None:
        if "watch" in said:
            self._tell(OpenedWatch(said["watch"]))
        ends, unknown = said.get("ends") or [], said.get("unknown") or []
        if ends or unknown:
            self._tell(HeardEnds(ends, unknown))

    def _is_patient_with(self, complaint: Complaint) -> bool:
        """Tell whether a server that is away, or has no room, may be asked again."""
        if isinstance(complaint, ServerError) and not is_worth_waiting(complaint):
            return False
        return time.monotonic() - self._heard_at < PATIENCE
