"""Submissions on their way: those that come in quick succession travel together.

A batch leaves when none is under way, or when it is full. So a lone submission leaves at once, and
of a burst the first leaves alone and the others follow together. Each batch has a key of its own:
sent again after a broken connection or a restart of the server, it changes nothing.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from pooldeck.client.errors import ClientError, Detached, Refused
from pooldeck.client.future import RemoteFuture
from pooldeck.client.http import KEY, QUEUE_FULL, HttpApi

Sent: TypeAlias = RemoteFuture[Any]

MOST_TASKS: Final = 500
"""The most tasks that travel together."""

_MOST_BYTES: Final = (
    4 * 1024 * 1024
)  # of a batch; a server takes 16 MiB unless it is told otherwise
_MOST_UNDER_WAY: Final = 4
_MOST_SLOW: Final = 8  # beside those
_SLOW_SECONDS: Final = 1.0  # after which a batch keeps no other from leaving: it may wait for room
_WATCH: Final = "Pooldeck-Watch"
_DIVISIBLE: Final = frozenset({403, 413, 422})  # refusals that may be meant for one of them
_OF_A_FUNCTION: Final = frozenset({"unknown_function", "function_on_hold"})


class _Answer(Struct, frozen=True):
    ids: list[str]


_read_ids = msgspec.json.Decoder(_Answer).decode


class Batches:
    """The queue of what is to be submitted, and the batches under way.

    Args:
        api: The server.
        watch_id: Returns the watch that the server is to add the tasks to, None where none is open.
        on_stored: Told what is stored, with the ids, and the watch that is for it, if any.
        on_idle: Told when nothing is on its way any more.
    """

    def __init__(
        self,
        api: HttpApi,
        watch_id: Callable[[], str | None],
        on_stored: Callable[[list[tuple[str, Sent]], str | None], None],
        on_idle: Callable[[], None],
    ) -> None:
        self._api = api
        self._watch_id = watch_id
        self._on_stored = on_stored
        self._on_idle = on_idle
        self._queue: deque[Sent] = deque()
        self._under_way: dict[asyncio.Task[None], list[Sent]] = {}
        self._slow: set[asyncio.Task[None]] = set()
        self._dropped_with: Callable[[], BaseException] | None = None

    @property
    def is_busy(self) -> bool:
        """Tell whether something is not stored yet."""
        return bool(self._queue or self._under_way)

    @property
    def outstanding(self) -> list[Sent]:
        """Return what is not stored yet."""
        sent = [future for futures in self._under_way.values() for future in futures]
        return [*sent, *self._queue]

    def put(self, future: Sent) -> None:
        """Queue a submission; any thread may do that, and has to have `leave` called then."""
        self._queue.append(future)
        self._drop_queue()

    def leave(self) -> None:
        """Send what may leave now."""
        loop = asyncio.get_running_loop()
        while self._queue and self._may_leave():
            if futures := self._taken():
                task = loop.create_task(self._send(futures))
                self._under_way[task] = futures
                task.add_done_callback(self._arrived)
                loop.call_later(_SLOW_SECONDS, self._takes_long, task)

    async def flush(self) -> None:
        """Return when all that was put in is stored or refused."""
        while self.is_busy:
            self.leave()
            if self._under_way:
                await asyncio.wait(self._under_way)

    def drop(self, failure: Callable[[], BaseException]) -> None:
        """Fail all that is not stored yet, and what is put in later."""
        self._dropped_with = failure
        for task in self._under_way:
            task.cancel()
        self._drop_queue()

    def _drop_queue(self) -> None:
        """Fail what is queued, if it is too late for that; any thread may find that out."""
        while self._dropped_with is not None:
            try:
                future = self._queue.popleft()
            except IndexError:
                return
            future.end_failed(self._dropped_with())

    def _may_leave(self) -> bool:
        moving = len(self._under_way) - len(self._slow)
        if not moving:
            return len(self._slow) < _MOST_SLOW
        return len(self._queue) >= MOST_TASKS and moving < _MOST_UNDER_WAY

    def _takes_long(self, task: "asyncio.Task[None]") -> None:
        if task in self._under_way:
            self._slow.add(task)
            self.leave()

    def _arrived(self, task: "asyncio.Task[None]") -> None:
        del self._under_way[task]
        self._slow.discard(task)
        self.leave()
        if not self.is_busy:
            self._on_idle()

    def _taken(self) -> list[Sent]:
        """Take a batch off the queue, without what was cancelled meanwhile."""
        taken: list[Sent] = []
        size = 0
        while self._queue and len(taken) < MOST_TASKS and size < _MOST_BYTES:
            future = self._queue.popleft()
            if future.send():
                taken.append(future)
                size += len(future.body)
        return taken

    async def _send(self, futures: list[Sent]) -> None:
        waiting = [futures]
        try:
            while waiting:
                part = waiting.pop()
                waiting += reversed(await self._left_of(part))
        except BaseException as error:
            for each in futures:
                if each.task_id is None:
                    each.end_failed(_as_failure(error))
            if not isinstance(error, Exception):
                raise

    async def _left_of(self, futures: list[Sent]) -> list[list[Sent]]:
        """Send a batch; return what is to be sent again, where it was refused for some of it."""
        try:
            await self._store(futures)
        except Refused as error:
            return _without_bad(futures, error)
        return []

    async def _store(self, futures: list[Sent]) -> None:
        body = b'{"tasks":[%b]}' % b",".join([each.body for each in futures])
        headers = {KEY: os.urandom(16).hex()}
        if watch := self._watch_id():
            headers[_WATCH] = watch
        answer = await self._api.send(
            "POST", "/tasks/batch", body, headers, waits_for_room=len(futures) == 1
        )
        self._on_stored(_with_ids(answer.content, futures), answer.headers.get(_WATCH))


def _with_ids(answer: bytes, futures: list[Sent]) -> list[tuple[str, Sent]]:
    """Return the futures of a batch with their ids; two of one key have the same."""
    try:
        return list(zip(_read_ids(answer).ids, futures, strict=True))
    except (msgspec.DecodeError, ValueError):
        raise ClientError(
            f"what answers is no Pooldeck: it says {answer[:60]!r} instead of ids"
        ) from None


def _without_bad(futures: list[Sent], error: Refused) -> list[list[Sent]]:
    """Fail those that a batch was refused for; return the rest, in the batches to send it in."""
    bad = _index(error)
    if bad is not None and bad < len(futures) and error.code != QUEUE_FULL:
        culprit = futures[bad]
        culprits = [culprit]
        if error.code in _OF_A_FUNCTION:
            culprits = [each for each in futures if each.function == culprit.function]
        for each in culprits:
            each.end_failed(_copy(error))
        rest = [each for each in futures if not each.done()]
        return [rest] if rest else []
    if len(futures) > 1 and (error.status in _DIVISIBLE or error.code == QUEUE_FULL):
        middle = len(futures) // 2
        return [futures[:middle], futures[middle:]]
    for each in futures:
        each.end_failed(_copy(error))
    return []


def _index(error: Refused) -> int | None:
    """Return the place in the batch that a refusal is about, None where it is about the whole."""
    index = error.extra.get("index")
    if isinstance(index, int):
        return index
    _, _, rest = str(error.extra.get("field", "")).partition("/tasks/")
    number = rest.partition("/")[0]
    return int(number) if number.isdecimal() else None


def _copy(error: Refused) -> Refused:
    """Return another one: an exception that several futures raise collects all their tracebacks."""
    return type(error)(error.status, error.code, error.detail, error.extra)


def _as_failure(error: BaseException) -> BaseException:
    if isinstance(error, ClientError):
        return type(error)(*error.args)
    if isinstance(error, asyncio.CancelledError):
        return Detached("the client was closed before the server said that it has the task")
    return ClientError(f"the task could not be submitted: {error!r}")
