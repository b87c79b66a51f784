"""The log of a task that is looked at, followed on a thread."""

from collections import deque
from collections.abc import Callable
from threading import Event, Thread
from typing import Any, Final

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.remote.following import ENDED, TaskLog, with_time
from pooldeck_server.remote.server import RemoteServer

_MOST: Final = 2000  # lines that are kept
_LOOK: Final = 0.5  # seconds between two looks


class TaskTail:
    """The last lines of a task's log, as they come.

    Attributes:
        title: Which task it is, and how it is.
        lines: Oldest first.
    """

    def __init__(self, server: RemoteServer, task: str, changed: Callable[[], None]) -> None:
        self.title = f"the log of {task}"
        self.lines: deque[str] = deque(maxlen=_MOST)
        self._server, self._task, self._changed = server, task, changed
        self._is_over = Event()
        Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Follow it no more."""
        self._is_over.set()

    def _run(self) -> None:
        try:
            self._follow()
        except Complaint as complaint:
            self.lines.append(" ".join(complaint.lines))
        except RuntimeError:  # the server was closed meanwhile
            return
        self._changed()

    def _follow(self) -> None:
        task = self._look()
        log = TaskLog(self._server.get, self._task, max(task["attempt"], 1))
        while not self._is_over.is_set():
            for line in log.new_lines(task):
                self.lines.extend(with_time(line).split("\n"))
            if task["state"] in ENDED:
                self.lines.extend(_last_words(task))
                return
            self._changed()
            self._is_over.wait(_LOOK)
            task = self._look()

    def _look(self) -> dict[str, Any]:
        task: dict[str, Any] = self._server.get(f"/tasks/{self._task}")
        self.title = f"{task['function']} {self._task} is {task['state']}"
        return task


def _last_words(task: dict[str, Any]) -> list[str]:
    error = task["error"]
    if error is None:
        return [f"-- {task['state']} --"]
    text = error.get("traceback") or f"{error['type'] or error['kind']}: {error['message']}"
    return [f"-- {task['state']} --", *text.rstrip().split("\n")]
