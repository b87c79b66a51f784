"""The main thread of a run: stores what was read, and writes what has ended.

All that happens comes through one queue: lines that were read, ends that were heard. Who reads
waits for a place in the window, which is free again when a result is written.
"""

import queue
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.remote.patience import PATIENCE, is_worth_waiting
from pooldeck_server.remote.running.items import Item
from pooldeck_server.remote.running.results import Results
from pooldeck_server.remote.running.storing import store
from pooldeck_server.remote.running.watching import Gone, HeardEnds, OpenedWatch, listening
from pooldeck_server.remote.server import RefusedError, RemoteServer, ServerError

_BATCH: Final = 200  # tasks that are stored by one call
_LOOK: Final = 0.2  # seconds after which progress is shown, though nothing happened


class _AllRead(Struct, frozen=True):
    """That the input is at its end, or cannot be read on."""

    complaint: Complaint | None = None


class LineRun:
    """A run under way.

    Args:
        server: Where its tasks run.
        common: What all submissions have: the function and its options.
        results: Where their ends go.
        window: How many lines are read whose results are not written.
    """

    def __init__(
        self, server: RemoteServer, common: Mapping[str, Any], results: Results, window: int
    ) -> None:
        self._server, self._common, self._results = server, common, results
        self._room = threading.Semaphore(window)
        self._inbox: queue.SimpleQueue[Item | _AllRead | OpenedWatch | HeardEnds | Gone] = (
            queue.SimpleQueue()
        )
        self._waiting: list[Item] = []  # read, and not stored
        self.running: dict[str, Item] = {}  # stored, and not ended, by the ids of their tasks
        self.read = 0  # bytes
        self.trouble = ""  # why nothing can be stored at the moment
        self._watch: str | None = None
        self._is_all_read = False
        self._not_before = 0.0  # when the server may be asked to store again
        self._gave_up_at = float("inf")

    def steps(self, source: Iterable[Item]) -> Iterator[None]:
        """Do the run, and stop now and then for somebody who wants to look.

        Raises:
            Complaint: If the server is away for too long or refuses to go on, or if the input
                cannot be read.
        """
        threading.Thread(target=self._read, args=(source,), daemon=True).start()
        with listening(self._server, self._inbox.put):
            while not (self._is_all_read and not self._waiting and not self.running):
                self._take_what_happened()
                self._store_what_waits()
                yield

    def _read(self, source: Iterable[Item]) -> None:
        try:
            for item in source:
                self._room.acquire()
                self._inbox.put(item)
        except Complaint as complaint:
            self._inbox.put(_AllRead(complaint))
        except (OSError, ValueError) as error:
            self._inbox.put(_AllRead(Complaint(f"the input cannot be read: {error}")))
        else:
            self._inbox.put(_AllRead())

    def _take_what_happened(self) -> None:
        try:
            self._take(self._inbox.get(timeout=_LOOK))
            while True:
                self._take(self._inbox.get_nowait())
        except queue.Empty:
            return

    def _take(self, happened: Item | _AllRead | OpenedWatch | HeardEnds | Gone) -> None:
        match happened:
            case Item():
                self._take_item(happened)
            case HeardEnds():
                self._take_ends(happened)
            case OpenedWatch():
                self._watch = happened.watch
                self._watch_too(list(self.running))
            case Gone():
                raise happened.complaint
            case _AllRead():
                self._is_all_read = True
                if happened.complaint is not None:
                    raise happened.complaint

    def _take_item(self, item: Item) -> None:
        self.read = item.read
        self._results.expect(item)
        if item.call is None:
            self._written(self._results.refused(item, item.problem))
        else:
            self._waiting.append(item)

    def _take_ends(self, news: HeardEnds) -> None:
        for end in news.ends:
            item = self.running.pop(end["id"], None)
            if item is not None:
                whole = self._server.get(f"/tasks/{end['id']}") if end.get("fetch") else end
                self._written(self._results.ended(item, whole))
        for task in news.unknown:
            item = self.running.pop(task, None)
            if item is not None:
                self._written(self._results.refused(item, f"task {task} was deleted"))

    def _written(self, number: int) -> None:
        if number:
            self._room.release(number)

    def _store_what_waits(self) -> None:
        while self._waiting and time.monotonic() >= self._not_before:
            chosen = self._waiting[:_BATCH]
            try:
                self._store(chosen)
            except ServerError as error:
                self._try_again_later(error)
                return
            self._gave_up_at, self.trouble = float("inf"), ""
            del self._waiting[: len(chosen)]

    def _store(self, chosen: list[Item]) -> None:
        unwatched = []
        for stored in list(store(self._server, self._common, chosen, self._watch)):
            if stored.task is None:
                self._written(self._results.refused(stored.item, stored.problem))
                continue
            self.running[stored.task] = stored.item
            if not stored.is_watched:
                unwatched.append(stored.task)
        self._watch_too(unwatched)

    def _watch_too(self, tasks: list[str]) -> None:
        """Have ends told; where the watch is gone, the next one that is opened gets all ids."""
        if self._watch is None or not tasks:
            return
        try:
            self._server.post(f"/watches/{self._watch}", {"ids": tasks})
        except ServerError:
            self._watch = None

    def _try_again_later(self, error: ServerError) -> None:
        """Wait as long as a server asks that has no room, or a while for one that is away."""
        if not is_worth_waiting(error):
            raise error
        is_refused = isinstance(error, RefusedError)
        now = time.monotonic()
        self._gave_up_at = min(self._gave_up_at, now + PATIENCE)
        if not is_refused and now > self._gave_up_at:
            raise error
        wanted = error.retry_after if isinstance(error, RefusedError) else None
        self._not_before = now + (wanted or 1.0)
        self.trouble = str(error)
