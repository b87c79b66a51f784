"""What keys do to a server: one thing at a time, on a thread, with a word on how it went."""

from collections.abc import Callable
from threading import Lock, Thread

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.remote.server import RemoteServer

_KILLED: dict[str, str] = {
    "killed": "was killed",
    "abandoned": "was abandoned: its thread may go on",
    "cancelled": "was cancelled before it ran",
    "cancel_requested": "was asked to end",
    "unreached": "goes on for now: its host has no contact, and is asked to kill it when it has",
    "already_ended": "had ended already",
}


class Deeds:
    """Changes a server, and says by `say` what came of it."""

    def __init__(self, server: RemoteServer, say: Callable[[str], None]) -> None:
        self._server, self._say = server, say
        self._lock = Lock()

    def pause(self, pool: str, *, is_paused: bool) -> None:
        """Have a pool hand nothing out, or go on."""

        def do() -> str:
            self._server.ask("PATCH", self._path(pool), {"paused": is_paused})
            return f"{pool} is paused" if is_paused else f"{pool} goes on"

        self._begin(do)

    def restart(self, pool: str) -> None:
        """Replace the workers of a pool, one by one."""

        def do() -> str:
            self._server.post(f"{self._path(pool)}/restart")
            return f"{pool} replaces its workers"

        self._begin(do)

    def kill(self, task: str, function: str) -> None:
        """End a task that runs."""

        def do() -> str:
            done = self._server.post(f"/tasks/{task}/cancel", {"kill": True})["outcome"]
            return f"{function} {_KILLED.get(done, done)}"

        self._begin(do)

    def _path(self, pool: str) -> str:
        return f"/pools/{self._server.part(pool)}"

    def _begin(self, do: Callable[[], str]) -> None:
        Thread(target=self._do, args=(do,), daemon=True).start()

    def _do(self, do: Callable[[], str]) -> None:
        try:
            with self._lock:
                words = do()
        except Complaint as complaint:
            words = " ".join(complaint.lines)
        except RuntimeError:  # the server was closed meanwhile
            return
        self._say(words)
