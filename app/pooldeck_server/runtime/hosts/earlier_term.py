"""What earlier runs of the server had in hand on hosts: decided when it is certain, not before.

A start decides at once what its own machine had in hand. A host may be running such a call at that
moment, and does so until it hears of the new server or until its lease is over. So these tasks
stay as they are until the host, or the next one of its machine, has said that nothing runs there
any more (`Gone`), or the lease of all hosts is over for certain.

    start ── left in hand ──▶ this ◀── Gone: begun? ended, and how? ── host (its boxes)
                               └──▶ released, ended, lost or run again ──▶ record, queues
"""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from msgspec.structs import replace

from pooldeck.hosts.lease import certainly_over
from pooldeck.hosts.wire import Gone
from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict, PooldeckError
from pooldeck_server.domain.pools.attachments import Attachment
from pooldeck_server.domain.pools.controls import MOST_NAMED, CutOffTask, StartReport
from pooldeck_server.domain.pools.starts import decided_in_words
from pooldeck_server.domain.tasks.changes import Claim, End, Rerun
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.left_in_hand import Decide, found_end, what_becomes
from pooldeck_server.store import records
from pooldeck_server.store.records.interruption import LeftInHand

_log = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 1.0


@dataclass(kw_only=True, eq=False)
class EarlierTerm(BackgroundPart):
    """The tasks that wait for a word of hosts, or for the end of their leases."""

    doing = "deciding on tasks that hosts of an earlier run have"

    boot: str  # of this run
    attachments: Sequence[Attachment]  # of earlier runs
    left: Collection[LeftInHand]  # in hand, in pools that were on hosts
    recorder: Recorder
    clock: Clock
    queues: Mapping[str, Dispatcher]
    report: StartReport | None = field(init=False, default=None)
    since: float = field(default_factory=time.monotonic)
    _left: dict[tuple[str, int], LeftInHand] = field(init=False)
    _seqs: set[int] = field(init=False)
    unheard: dict[str, set[str]] = field(init=False)  # boots that nobody has spoken of, by pool
    _doubtful: set[str] = field(init=False, default_factory=set)  # pools with calls nobody knows of
    _gone: list[Gone] = field(init=False, default_factory=list)  # said, and not decided on
    _news: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._left = {(task.id, task.attempt): task for task in self.left}
        self._seqs = {task.seq for task in self._left.values()}
        self.unheard = {}
        for each in self.attachments:
            self.unheard.setdefault(each.pool, set()).add(each.boot)
        self._pools = {each.boot: each.pool for each in self.attachments}
        self._names = {each.boot: each.name for each in self.attachments}
        self.patience = max(
            (certainly_over(each.lease_seconds, each.margin_seconds) for each in self.attachments),
            default=0.0,
        )

    def __contains__(self, seq: object) -> bool:
        """Tell whether a task, by its number, is not decided on yet."""
        return seq in self._seqs

    def check(self, task: str, seq: int) -> None:
        """Refuse to change what is not decided on yet.

        Raises:
            Conflict: If the task is one of these.
        """
        if seq in self._seqs:
            raise Conflict(
                f"task {task} was with a host when the server before this one ended, and may run "
                f"there: try again when that is known, in {self.seconds_left:.0f} s at the latest"
            )

    @property
    def seconds_left(self) -> float:
        """Return in how many seconds all is decided at the latest."""
        return max(0.0, self.since + self.patience - time.monotonic())

    def hear(self, gone: Gone) -> None:
        """Take the word of a host that nothing of a boot runs any more; of others it is nothing."""
        if gone.boot in self._pools:
            self._gone.append(gone)
            self._news.set()

    async def _run(self) -> None:
        while self._left:
            self._news.clear()
            if not self._gone and self.seconds_left:
                with_news = asyncio.create_task(self._news.wait())
                await asyncio.wait([with_news], timeout=self.seconds_left)
                with_news.cancel()
            try:
                await self._decide()
            except PooldeckError:
                await asyncio.sleep(_RETRY_SECONDS)
        await self._forget()

    async def _decide(self) -> None:
        """Record what is certain by now."""
        said, now = list(self._gone), self.clock.now()
        for gone in said:
            named = {*((task, attempt) for task, attempt, _ in gone.ended), *gone.cut_off}
            await self._record(named, partial(self._by_word, gone=gone, now=now))
            pool = self._pools[gone.boot]
            self.unheard[pool].discard(gone.boot)
            if not gone.is_whole:
                self._doubtful.add(pool)
            self._gone.remove(gone)
        for pool in [pool for pool, boots in self.unheard.items() if not boots]:
            rest = [key for key, task in self._left.items() if task.pool == pool]
            await self._record(rest, partial(self._not_named, now=now))
        if not self.seconds_left:
            await self._record(list(self._left), partial(_by_lease, now=now))

    def _by_word(self, task: LeftInHand, gone: Gone, now: int) -> End | Rerun:
        """Say what a task becomes that a host has named."""
        key, host = (task.id, task.attempt), self._names[gone.boot]
        ends = {(task_id, attempt): finished for task_id, attempt, finished in gone.ended}
        if (end := ends.get(key)) is not None:
            ran = end.outcome.measurement.run if end.outcome.measurement else 0.0
            return found_end(task, end, now, worker="", pid=0, since=ran, thread=None)
        return what_becomes(
            task,
            now,
            f"The server stopped while this task ran on the host {host}, which has ended it; so "
            "nobody can know how far it got. ",
        )

    def _not_named(self, task: LeftInHand, now: int) -> End | Rerun | Claim:
        """Say what a task becomes that no host has named, all having spoken."""
        if task.pool not in self._doubtful and task.state is State.QUEUED:
            return Claim(task.seq, task.attempt)
        return what_becomes(task, now, kind=ErrorKind.HOST_LOST, story=_UNKNOWN)

    async def _record(self, keys: Iterable[tuple[str, int]], decide: Decide) -> None:
        """Record what some of the tasks become, and tell the queues of it."""
        tasks = [self._left[key] for key in keys if key in self._left]
        if not tasks:
            return
        done = await self.recorder.perform(lambda tx: records.settle(tx, tasks, decide))
        for task in tasks:
            del self._left[task.id, task.attempt]
            self._seqs.discard(task.seq)
        cut_off = [
            CutOffTask(move.id, move.function, move.state)
            for move in done.moves
            if move.error_kind in _KINDS
        ]
        found = len(done.moves) - len(cut_off)
        await self._tell(cut_off, found=found, not_begun=done.released)
        for pool in {task.pool for task in tasks}:
            if (queue := self.queues.get(pool)) is not None:
                queue.reread()

    async def _tell(self, cut_off: Collection[CutOffTask], *, found: int, not_begun: int) -> None:
        """Add to the story of the start what has become known."""
        lost = sum(task.became is State.LOST for task in cut_off)
        _log.log(
            logging.WARNING if cut_off else logging.INFO,
            decided_in_words(found, not_begun, len(cut_off) - lost, lost, len(self._left)),
        )
        if (before := self.report) is None:
            return
        self.report = replace(
            before,
            lost=before.lost + lost,
            rerun=before.rerun + len(cut_off) - lost,
            found=before.found + found,
            not_begun=before.not_begun + not_begun,
            on_hosts=len(self._left),
            cut_off=(*before.cut_off, *cut_off)[:MOST_NAMED],
        )
        await self.recorder.try_perform(
            partial(records.save_report, boot=self.boot, report=self.report, is_news=bool(cut_off)),
            "what became of tasks on hosts",
        )

    async def _forget(self) -> None:
        """Forget the hosts of earlier runs: nothing is asked of them any more."""
        boots = list(self._pools)
        await self.recorder.try_perform(
            lambda tx: records.forget_hosts(tx, boots), "that nothing is left on hosts"
        )


_KINDS: Final = frozenset({ErrorKind.INTERRUPTED, ErrorKind.HOST_LOST})
_UNKNOWN: Final = (
    "The server stopped while a host had this task, and what the host noted of it is not whole: so "
    "nobody can know how far it got. "
)
_SILENT: Final = (
    "The server stopped while a host had this task, and the host was not heard of again before its "
    "lease was over: so nobody can know how far it got. "
)


def _by_lease(task: LeftInHand, now: int) -> End | Rerun:
    """Say what a task becomes of which no host has said anything."""
    return what_becomes(task, now, _SILENT, ErrorKind.HOST_LOST)
