"""A watch: it tells somebody of the ends of many tasks, after the commit of each end.

It knows of a task that it has not told of only its id: results are read from the store when they
are about to be told. So a reader that falls behind costs no more than the ids, however large the
results are; and what a restart or a lost connection has hidden is found the same way, since ids
that are new to a watch are looked at as if they had just ended.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from pooldeck_server.domain.access import Principal
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.ends import TaskEnd, WatchNews
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader

MANY: Final = 4
"""Ends at a time, from which on some may gather before they are told."""

LONGEST_END: Final = 256 * 1024
"""Characters of a result and an error up to which they are told; longer ones are to be fetched."""

_SIGN_SECONDS: Final = 10.0  # of silence, until the sign of life
_GATHER_SECONDS: Final = 0.03
_AT_ONCE: Final = 1024  # ends in one answer of the store
_SHORT: Final = 4096  # characters of a result; longer ones are read a few at a time
_LONG_AT_ONCE: Final = 16
_PAUSE_SECONDS: Final = 1.0  # before the store is asked again that could not answer
_ID_BYTES: Final = 12


@dataclass(eq=False)
class Watch:
    """It belongs to the `principal` who opened it, and tells what is for that one."""

    principal: Principal
    reader: Reader
    tells_starts: bool
    id: str = field(default_factory=lambda: secrets.token_urlsafe(_ID_BYTES))
    _open: set[str] = field(init=False, default_factory=set)  # not told of yet
    _due: dict[str, None] = field(init=False, default_factory=dict)  # of these: have they ended?
    _started: dict[str, None] = field(init=False, default_factory=dict)
    _is_over: bool = field(init=False, default=False)
    _is_left: bool = field(init=False, default=False)
    _has_news: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    def __len__(self) -> int:
        """Return how many tasks it has not told the ends of."""
        return len(self._open)

    def add(self, ids: Collection[str]) -> None:
        """Watch more tasks; of those that have ended already it tells at once."""
        self._open.update(ids)
        self._due.update(dict.fromkeys(ids))
        self._has_news.set()

    @contextmanager
    def storing(self, ids: Sequence[str]) -> Iterator[None]:
        """Watch tasks that the body stores, from their commit on; none of them if it fails."""
        self._open.update(ids)
        try:
            yield
        except BaseException:
            self._open.difference_update(ids)
            raise

    def on_commit(self, ended: Collection[str], started: Iterable[TaskChanged]) -> None:
        """Take the ids of what has ended, and what a worker has started."""
        due = self._open.intersection(ended)
        self._due.update(dict.fromkeys(due))
        if self.tells_starts:
            reach = self.principal.may_reach
            begun = (each for each in started if each.id in self._open)
            self._started.update(
                {each.id: None for each in begun if reach(each.function, each.pool)}
            )
        if due or self._started:
            self._has_news.set()

    @property
    def is_read(self) -> bool:
        """Whether somebody still reads what it tells."""
        return not self._is_left

    def leave(self) -> None:
        """Forget it: whoever read it has gone."""
        self._is_left = True

    def end(self) -> None:
        """Tell what is known by now, and then nothing more."""
        self._is_over = True
        self._has_news.set()

    async def news(self) -> AsyncGenerator[WatchNews, None]:
        """Yield what there is to tell, as it comes, until the watch ends; now and then nothing.

        Where little happens each end is told at once. Where many do at a time, some gather.
        """
        while not (self._is_over and not self._due):
            with suppress(TimeoutError):
                async with asyncio.timeout(_SIGN_SECONDS):
                    await self._has_news.wait()
            is_silent, told = not self._has_news.is_set(), 0
            self._has_news.clear()
            async for news in self._latest():
                told += len(news.ends)
                if news:
                    yield news
            if is_silent:
                yield WatchNews()
            elif told >= MANY and not self._due:
                await asyncio.sleep(_GATHER_SECONDS)

    async def _latest(self) -> AsyncIterator[WatchNews]:
        """Yield what has come up, in parts that are not too large."""
        if self._started:
            started, self._started = tuple(self._started), {}
            yield WatchNews(starts=started)
        while self._due:
            ids = self._take()
            found = await self._read(ids, _SHORT)
            long = [each.id for each in found if each.is_long]
            yield self._told(
                set(ids).difference(long), [each for each in found if not each.is_long]
            )
            for start in range(0, len(long), _LONG_AT_ONCE):
                few = long[start : start + _LONG_AT_ONCE]
                yield self._told(few, await self._read(few, LONGEST_END))

    def _take(self) -> list[str]:
        """Return tasks to be looked at; they are due again if they end once more meanwhile."""
        ids = list(islice(self._due, _AT_ONCE))
        for each in ids:
            del self._due[each]
        return [each for each in ids if each in self._open]

    async def _read(self, ids: Sequence[str], longest: int) -> list[TaskEnd]:
        """Return how tasks have ended, as soon as the store can tell."""
        while True:
            try:
                return await self.reader.run(queries.ends, ids, longest)
            except PooldeckError:  # nothing is lost by asking again
                await asyncio.sleep(_PAUSE_SECONDS)

    def _told(self, ids: Iterable[str], found: Iterable[TaskEnd]) -> WatchNews:
        """Return what is to be told of tasks as they were found; what has not ended stays."""
        reach = self.principal.may_reach
        own = {each.id: each for each in found if reach(each.function, each.pool)}
        unknown = tuple(each for each in ids if each not in own)
        ends = tuple(each for each in own.values() if each.state in FINAL)
        self._open.difference_update(unknown, (each.id for each in ends))
        running = (each.id for each in own.values() if each.state is State.RUNNING)
        return WatchNews(ends, tuple(running) if self.tells_starts else (), unknown)


def watched(ids: Sequence[str], watch: Watch | None) -> AbstractContextManager[None]:
    """Let a watch, if there is one, be for tasks that the body stores; see `Watch.storing`."""
    return nullcontext() if watch is None else watch.storing(ids)
