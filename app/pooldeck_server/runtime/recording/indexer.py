"""Brings the arguments of tasks into the index that a search in them goes by.

It owns nothing but how far tasks are settled, follows the writer at a distance, and is run by the
event loop: it reads some tasks on a reader thread, gives their texts to the recorder, and rests
nine times as long as both threads worked. So it costs at most a tenth of what the server gets done;
under a load that is too much for that it falls behind, and what it has not reached yet is found by
looking at it. It begins with the oldest: the newest are found that way all the while.

A task that is being submitted has its number before it is stored. The end of the record therefore
counts as settled only when it has been seen for a while.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.queries.argument_text import LONGEST, undo_escapes
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 1000  # tasks
_CHARACTERS_AT_ONCE: Final = 100_000
_SETTLED_SECONDS: Final = 5.0
_REST: Final = 9  # times as long as the work
_IDLE_SECONDS: Final = _SETTLED_SECONDS  # sooner nothing can have been settled
_TROUBLE_SECONDS: Final = 10.0


@dataclass(kw_only=True, eq=False)
class Indexer(BackgroundPart):
    """Follows the record."""

    doing = "indexing arguments"

    recorder: Recorder
    reader: Reader
    clock: Clock
    _settled: int = field(init=False, default=0)  # up to it nothing is stored any more
    _seen: int | None = field(init=False, default=None)  # the newest number, as of `_seen_at`
    _seen_at: float = field(init=False, default=0.0)

    async def _run(self) -> None:
        while True:
            try:
                pause = await self.step()
            except PooldeckError as error:
                _log.warning("arguments could not be indexed: %s", error)
                pause = _TROUBLE_SECONDS
            await asyncio.sleep(pause)

    async def step(self) -> float:
        """Index the next arguments; return the seconds until to go on."""
        await self._advance_settled()
        found, read = await self.reader.run(_read, self._settled)
        if not found.through:
            return _IDLE_SECONDS
        written = await self.recorder.perform(lambda transaction: _write(transaction, found))
        return _REST * (read + written)

    async def _advance_settled(self) -> None:
        """Move the end of what is settled to where the record ended some seconds ago."""
        now = self.clock.monotonic()
        if self._seen is not None and now - self._seen_at < _SETTLED_SECONDS:
            return
        last = await self.reader.run(queries.last_seq_and_id)
        newest = 0 if last is None else last.seq
        self._settled = newest if self._seen is None else self._seen
        self._seen, self._seen_at = newest, now


def _read(connection: Connection, settled: int) -> tuple[queries.Unindexed, float]:
    """Return the next texts, as people read them, and the CPU seconds that it took."""
    began = time.thread_time()
    found = queries.unindexed(connection, settled, _AT_ONCE, LONGEST)
    texts = [(number, undo_escapes(text)) for number, text in _some(found.texts)]
    is_cut = len(texts) < len(found.texts)
    through = texts[-1][0] if is_cut else found.through
    return queries.Unindexed(texts, through), time.thread_time() - began


def _some(texts: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the first of some texts, at least one, up to a bounded length."""
    length = 0
    for number, text in texts:
        length += len(text)
        yield number, text
        if length > _CHARACTERS_AT_ONCE:
            return


def _write(transaction: Transaction, found: queries.Unindexed) -> float:
    """Write to the index; return the CPU seconds that it took."""
    began = time.thread_time()
    records.index_arguments(transaction, found.texts, found.through)
    return time.thread_time() - began
