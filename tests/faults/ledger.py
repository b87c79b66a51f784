"""What a client knows: which submissions it sent under which key, and which were acknowledged.

Each line leaves this process before the request is sent, or as soon as the answer has come: what
the ledger's file holds is what a client that crashed would still know.
"""

import threading
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct


class Entry(Struct):
    """A submission: its `body`, the `id` that acknowledged it, or the code of its `refusal`."""

    key: str
    body: dict[str, Any]
    id: str | None = None
    refusal: str | None = None
    retries_by_hand: int = 0

    @property
    def is_open(self) -> bool:
        """Tell whether its client cannot know what became of it."""
        return self.id is None and self.refusal is None


class Ledger:
    """All submissions of a test's clients. Threads may share it.

    Attributes:
        complaints: What was wrong with an answer, whatever the server was going through.
    """

    def __init__(self, path: Path) -> None:
        self.complaints: list[str] = []
        self._path = path
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()

    @property
    def entries(self) -> list[Entry]:
        """Return all entries, the oldest first."""
        with self._lock:
            return list(self._entries.values())

    @property
    def by_id(self) -> dict[str, Entry]:
        """Return those that were acknowledged, by the task's id."""
        return {entry.id: entry for entry in self.entries if entry.id is not None}

    def intend(self, key: str, body: dict[str, Any]) -> Entry:
        """Note a submission that is about to be sent."""
        entry = Entry(key, body)
        self._write(entry)
        return entry

    def acknowledge(self, entry: Entry, task: str) -> None:
        """Note the id that a submission was given; it must be the one that it had before."""
        if entry.id not in {None, task}:
            self.complaints.append(f"key {entry.key} stood for {entry.id}, and now for {task}")
        entry.id = task
        self._write(entry)

    def refuse(self, entry: Entry, code: str) -> None:
        """Note that a submission was refused."""
        entry.refusal = code
        self._write(entry)

    def _write(self, entry: Entry) -> None:
        with self._lock, self._path.open("ab") as file:
            self._entries[entry.key] = entry
            file.write(msgspec.json.encode(entry) + b"\n")
