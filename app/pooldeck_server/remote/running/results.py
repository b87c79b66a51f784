"""Writes results as lines of JSON: in the order of the input, or as they end."""

import json
from typing import Any, Final, TextIO

from pooldeck_server.remote.running.items import Item

_SUCCEEDED: Final = "succeeded"


class Results:
    """The results so far.

    Args:
        file: Where to.
        is_ordered: Whether they have the order of the input: then what ends early is kept back.
    """

    def __init__(self, file: TextIO, *, is_ordered: bool) -> None:
        self._file, self._is_ordered = file, is_ordered
        self._kept: dict[int, dict[str, Any]] = {}
        self._awaited: list[int] = []  # numbers of lines, in their order, from `_at` on
        self._at = 0
        self.written = 0
        self.failed = 0  # in all
        self.lost = 0  # of these, tasks that did not succeed: the others became none

    def flush(self) -> None:
        """Let others see what was written."""
        self._file.flush()

    def expect(self, item: Item) -> None:
        """Say that a result for this item will come, after those before."""
        if self._is_ordered:
            self._awaited.append(item.number)

    def ended(self, item: Item, task: dict[str, Any]) -> int:
        """Take the end of a task; return how many results are written by that."""
        line: dict[str, Any] = {"line": item.number, "task": task["id"], "state": task["state"]}
        if task["state"] == _SUCCEEDED:
            return self._add(item, line | {"result": task.get("result")})
        self.lost += 1
        return self._add(item, line | {"error": task.get("error")})

    def refused(self, item: Item, problem: str) -> int:
        """Take that an item became no task, or is none any more; return as `ended`."""
        error = {"kind": "refused", "type": None, "message": problem}
        return self._add(item, {"line": item.number, "task": None, "state": None, "error": error})

    def _add(self, item: Item, line: dict[str, Any]) -> int:
        self.failed += "error" in line
        if not self._is_ordered:
            self._write(line)
            return 1
        self._kept[item.number] = line
        return self._write_those_whose_turn_it_is()

    def _write_those_whose_turn_it_is(self) -> int:
        before = self._at
        while self._at < len(self._awaited) and self._awaited[self._at] in self._kept:
            self._write(self._kept.pop(self._awaited[self._at]))
            self._at += 1
        written = self._at - before
        if self._at > len(self._awaited) // 2:  # forget what was written, now and then
            del self._awaited[: self._at]
            self._at = 0
        return written

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.written += 1
