"""The watch: one stream on which the server tells how tasks end, for all futures of a client.

What is submitted while it is open is watched from its commit on. Other ids are added by a request
for many at once. A stream that breaks is opened again with all that is outstanding, and what has
ended meanwhile is told at once: so nothing is missed, whatever happens in between.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final, TypeAlias

import httpx
import msgspec

from pooldeck.client.ends import FINAL, End, Told, read_end, read_told, settle
from pooldeck.client.errors import ClientError, NotReachable, Refused, TaskLost
from pooldeck.client.future import RemoteFuture
from pooldeck.client.http import HttpApi, Pauses

Watched: TypeAlias = RemoteFuture[Any]

MOST_WATCHED: Final = 100_000
"""The most ids of one watch; the others are added as those end."""

_MOST_AT_ONCE: Final = 10_000  # ids in one request; fewer where that is too long a body
_TOO_LARGE: Final = 413
_GONE: Final = 404
_HOPELESS: Final = frozenset({401, 403, 404, 405})
_IDLE_SECONDS: Final = 60.0  # with nothing to wait for, after which the stream is closed
_FOR_EVER: Final = 1e9  # seconds


class Watch:
    """The futures that wait for the end of their tasks, and the stream that tells of it."""

    def __init__(self, api: HttpApi) -> None:
        self.id: str | None = None
        self._api = api
        self._futures: dict[str, list[Watched]] = {}
        self._to_add: dict[str, None] = {}  # ids that the stream does not know yet, in order
        self._early: dict[str, End] = {}  # ends of what is being stored: its id is not known yet
        self._fetching: set[asyncio.Task[None]] = set()
        self._expects = False
        self._at_once = _MOST_AT_ONCE
        self._is_wanted, self._has_ids = asyncio.Event(), asyncio.Event()
        self._idle_since: float | None = None
        self._last_seen = time.monotonic()
        self._pauses = Pauses(_FOR_EVER)

    @property
    def outstanding(self) -> list[Watched]:
        """Return the futures that wait."""
        return [future for futures in self._futures.values() for future in futures]

    def expect(self, *, submissions: bool) -> None:
        """Note whether tasks are being submitted: their ends may come before their ids do."""
        self._expects = submissions
        if submissions:
            self._want()
        else:
            self._early.clear()

    def add(self, futures: Sequence[tuple[str, Watched]], watch: str | None) -> None:
        """Wait for the ends of tasks; the server watches them already if it says the same watch."""
        is_watched = watch is not None and watch == self.id
        for task_id, future in futures:
            end = self._early.get(task_id)
            if end is not None and not end.fetch:
                settle(future, end)
                continue
            self._futures.setdefault(task_id, []).append(future)
            if not is_watched or end is not None:
                self._to_add[task_id] = None
        for task_id, _ in futures:  # two futures may be of one task
            self._early.pop(task_id, None)
        if self._to_add:
            self._has_ids.set()
        self._want()

    def fail(self, make: Callable[[Watched], BaseException]) -> None:
        """Fail all that waits, each future with an error of its own."""
        futures, self._futures = self.outstanding, {}
        self._to_add.clear()
        for future in futures:
            future.end_failed(make(future))

    async def run(self) -> None:
        """Keep a stream open as long as something waits, for ever."""
        adding = asyncio.create_task(self._add_ids())
        try:
            while True:
                self._is_wanted.clear()
                if not self._futures and not self._expects:
                    await self._is_wanted.wait()
                await self._keep_open()
        finally:
            for task in (adding, *self._fetching):
                task.cancel()

    def _want(self) -> None:
        self._idle_since = None
        self._is_wanted.set()

    async def _keep_open(self) -> None:
        """Open streams, one after the other, until nothing waits any more."""
        self._pauses = Pauses(_FOR_EVER)
        self._last_seen = time.monotonic()
        while self._futures or self._expects:
            try:
                await self._listen()
            except Refused as error:
                if error.status == _TOO_LARGE and self._at_once > 1:
                    self._at_once //= 2
                elif error.status in _HOPELESS or self._is_patience_over:
                    self.fail(_same_as(error))
            except (httpx.HTTPError, msgspec.DecodeError) as error:
                self._give_up_after_patience(error)
            if self._futures or self._expects:
                await self._pauses.wait()

    @property
    def _is_patience_over(self) -> bool:
        return time.monotonic() - self._last_seen > self._api.patience

    def _give_up_after_patience(self, error: Exception) -> None:
        if self._is_patience_over:
            words = str(self._api.not_reachable(error))
            self.fail(lambda future: NotReachable(f"{words}; {_goes_on(future)}"))

    async def _listen(self) -> None:
        """Follow one stream to its end."""
        ids = list(self._futures)
        self._to_add = dict.fromkeys(ids[self._at_once :])
        ids = ids[: self._at_once]
        try:
            async with self._api.stream("/watches", {"ids": ids}) as pieces:
                async for line in _lines(pieces):
                    self._last_seen = time.monotonic()
                    self._heard(read_told(line))
                    if self._is_idle():
                        break
        finally:
            self.id = None

    def _heard(self, told: Told) -> None:
        if told.watch is not None:
            self.id = told.watch
            self._pauses = Pauses(_FOR_EVER)
        for end in told.ends:
            self._ended(end)
        for task_id in told.unknown:
            for future in self._taken(task_id):
                future.end_failed(TaskLost(f"the server knows no task {task_id} any more"))
        if self._to_add:  # there may be room for some by now
            self._has_ids.set()

    def _ended(self, end: End) -> None:
        if end.id not in self._futures:
            if self._expects:
                self._early[end.id] = end
        elif end.fetch:
            self._begin_fetching(end.id)
        else:
            for future in self._taken(end.id):
                settle(future, end)

    def _taken(self, task_id: str) -> Iterable[Watched]:
        return self._futures.pop(task_id, ())

    def _begin_fetching(self, task_id: str) -> None:
        task = asyncio.get_running_loop().create_task(self._fetch(task_id))
        self._fetching.add(task)
        task.add_done_callback(self._fetching.discard)

    async def _fetch(self, task_id: str) -> None:
        """Get an end that is too large for the stream."""
        try:
            end = read_end((await self._api.send("GET", f"/tasks/{task_id}")).content)
        except (ClientError, msgspec.DecodeError) as error:
            for future in self._taken(task_id):
                future.end_failed(ClientError(f"the result cannot be fetched: {error}"))
            return
        if end.state in FINAL:  # unless somebody retries it just now: then it ends once more
            self._ended(end)

    def _is_idle(self) -> bool:
        """Tell whether nothing has waited for a while."""
        if self._futures or self._expects:
            self._idle_since = None
            return False
        now = time.monotonic()
        self._idle_since = self._idle_since or now
        return now - self._idle_since > _IDLE_SECONDS

    async def _add_ids(self) -> None:
        """Tell the stream of ids that it does not know, many at once."""
        while True:
            await self._has_ids.wait()
            self._has_ids.clear()
            while self.id is not None and (ids := self._next_ids()):
                await self._add_to(self.id, ids)

    def _next_ids(self) -> list[str]:
        """Take ids to add, no more than there is room for."""
        room = MOST_WATCHED - (len(self._futures) - len(self._to_add))
        first = list(islice(self._to_add, max(0, min(room, self._at_once))))
        for each in first:
            del self._to_add[each]
        return [each for each in first if each in self._futures]

    async def _add_to(self, watch: str, ids: list[str]) -> None:
        try:
            await self._api.json("POST", f"/watches/{watch}", {"ids": ids})
        except ClientError as error:
            if watch != self.id:
                return  # a new stream has been opened with all of them
            self._to_add.update(dict.fromkeys(ids))
            status = error.status if isinstance(error, Refused) else 0
            if status == _TOO_LARGE and self._at_once > 1:
                self._at_once //= 2
                self._has_ids.set()
            elif status == _GONE:
                self.id = None  # its stream ends, or is silent until it counts as dead
            else:
                await asyncio.sleep(1)
                self._has_ids.set()


def _same_as(error: Refused) -> Callable[[Watched], Refused]:
    """Return what makes a refusal anew for each future."""
    return lambda _: type(error)(*error.args)


def _goes_on(future: Watched) -> str:
    return f"the task may go on: client.future({future.task_id!r}) waits for it again"


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the lines of what comes in pieces, without those that are empty."""
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line:
                yield line
