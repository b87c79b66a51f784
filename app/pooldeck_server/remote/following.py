"""A task that is followed: its log as it comes, how far it is, and its end.

Every attempt has a log of its own. What is said in the last moment of an attempt is fetched before
the next one's, and a line that is not finished is held back until it is.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.formats import clock
from pooldeck_server.remote.patience import patiently
from pooldeck_server.remote.progress import ProgressLine, bar
from pooldeck_server.remote.server import RemoteServer

ENDED: Final = frozenset({"succeeded", "failed", "cancelled", "lost"})
"""The states that a task stays in."""

_LOOK: Final = 0.5  # seconds between two looks at the log
_PAGE: Final = 500

Say = Callable[[str], None]
Get = Callable[[str, dict[str, Any]], Any]


class TaskLog:
    """The log of a task, read on from where it was left."""

    def __init__(self, get: Get, task_id: str, attempt: int = 1) -> None:
        self._get, self._path = get, f"/tasks/{task_id}/logs"
        self.attempt = attempt
        self._after = 0

    def new_lines(self, task: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the lines that have come, up to those of the attempt that the task is at."""
        while self.attempt < task["attempt"]:
            yield from self._lines(with_open=True)
            self.attempt, self._after = self.attempt + 1, 0
        if task["attempt"]:
            yield from self._lines(with_open=task["state"] in ENDED)

    def whole(self) -> Iterator[dict[str, Any]]:
        """Yield all lines of an attempt that there are, also one that is not finished."""
        return self._lines(with_open=True) if self.attempt else iter(())

    def _lines(self, *, with_open: bool) -> Iterator[dict[str, Any]]:
        more = True
        while more:
            params = {"after": self._after, "limit": _PAGE, "attempt": self.attempt}
            page = self._get(self._path, params)
            for line in page["items"]:
                if line["is_open"] and not with_open:
                    return
                self._after = line["n"]
                yield line
            more = page["next_after"] is not None


def follow(server: RemoteServer, output: Output, task_id: str, say: Say) -> dict[str, Any]:
    """Say the log of a task until it has ended; return it then.

    A line is said as it is, without its time. An interruption leaves the task alone, and says so.
    """

    def get(path: str, params: dict[str, Any]) -> Any:
        seconds = params.get("wait", 0)
        return patiently(output, lambda: server.get(path, params, seconds=seconds))

    log, progress = TaskLog(get, task_id), ProgressLine()
    task: dict[str, Any] = get(f"/tasks/{task_id}", {})
    try:
        while True:
            for line in log.new_lines(task):
                progress.erase()
                say(line["message"])
            if task["state"] in ENDED:
                return task
            progress.show(_how_far(task))
            task = get(f"/tasks/{task_id}", {"wait": _LOOK})
    except KeyboardInterrupt:
        progress.erase()
        output.note(
            f"the task goes on: see it by `pooldeck logs -f {task_id}`, end it by "
            f"`pooldeck cancel --kill {task_id}`"
        )
        raise
    finally:
        progress.erase()


def _how_far(task: dict[str, Any]) -> str:
    progress = task["progress"]
    if progress and progress["fraction"] is not None:
        return f"{bar(progress['fraction'])} {progress['message'] or ''}"
    message = progress["message"] if progress else ""
    return f"{task['function']} is {task['state']} {message}".rstrip()


def with_time(line: dict[str, Any]) -> str:
    """Return a line of a log with its time, and how many are missing before it."""
    missing = f"... {line['left_out']:,} lines are missing: the log was too long\n"
    said = f"{clock(line['at'])} {line['message']}"
    return f"{missing}{said}" if line["left_out"] else said
