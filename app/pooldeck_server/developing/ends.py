"""Tells how tasks end, from the stream that the dashboard listens to."""

from collections import OrderedDict
from contextlib import suppress
from datetime import UTC, datetime
from threading import Thread
from typing import Any, Final

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.developing.screen import DevScreen
from pooldeck_server.remote.following import ENDED
from pooldeck_server.remote.server import RefusedError, RemoteServer
from pooldeck_server.remote.top.feed import frames

_MOST: Final = 50  # tasks of one frame that are told
_KEPT: Final = 10_000  # ends that are remembered


class TaskEnds:
    """Writes each end of a task to a screen, once, beginning with those after its own making."""

    def __init__(self, screen: DevScreen) -> None:
        self._screen = screen
        self._since = datetime.now(UTC)
        self._told: OrderedDict[tuple[str, int], None] = OrderedDict()

    def follow(self, server: RemoteServer) -> None:
        """Begin to tell those of a server, on a thread, until it ends or `server` is closed."""
        Thread(target=self._run, args=(server,), daemon=True).start()

    def _run(self, server: RemoteServer) -> None:
        with suppress(Complaint, RuntimeError, ValueError):
            for frame in frames(server):
                self._tell(server, frame["changed"])

    def _tell(self, server: RemoteServer, changed: list[str] | None) -> None:
        if changed is None or len(changed) > _MOST:
            self._screen.say(f"many tasks at once: see {server.url}/tasks")
            changed = (changed or [])[-_MOST:]
        for name in changed:
            with suppress(RefusedError):  # deleted since
                self._tell_one(server, server.get(f"/tasks/{name}"))

    def _tell_one(self, server: RemoteServer, task: dict[str, Any]) -> None:
        key = task["id"], task["attempt"]
        if task["state"] not in ENDED or key in self._told:
            return
        self._told[key] = None
        if len(self._told) > _KEPT:
            self._told.popitem(last=False)
        if datetime.fromisoformat(task["finished_at"]) >= self._since:
            self._screen.end(task, f"{server.url}/tasks/{task['id']}")
