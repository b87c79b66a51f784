"""The server's half of one boot of a host: what it has in hand, and what is known of it."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Final, Protocol

from msgspec import Struct

from pooldeck.hosts.ends import EndsInOrder
from pooldeck.hosts.lease import ServerLease
from pooldeck.hosts.model import GoneBy, HostRefused, HostSnapshot, HostState, HostTerms
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.talk import Talk
from pooldeck.hosts.usage import HostUsage
from pooldeck.hosts.wire import (
    Ack,
    Back,
    Began,
    Drain,
    Ended,
    FromHost,
    FromServer,
    Gone,
    Grant,
    Hello,
    HostPool,
    Leaving,
    Over,
    PoolIs,
    Post,
    Renew,
    Sampled,
    Stacked,
    Welcome,
    WorkerIs,
    encode,
)
from pooldeck.kinds import KINDS, Ending
from pooldeck.outcome import Error, ErrorKind, Outcome
from pooldeck.pools.listener import RunningCall
from pooldeck.pools.model import PoolSpec, PoolState, WorkerState
from pooldeck.pools.port import WorkerSnapshot
from pooldeck.protocol import Call

_log: Final = logging.getLogger(__name__)
_LEAD: Final = 32  # quick calls that a slot may have ahead: what is on its way is no use to it yet
_SILENT: Final = 2.5  # requests for a lease that do not come: there is no contact
_LAST: Final = 60.0  # seconds for a connection to a host that is given up

_ATTESTED: Final = {
    GoneBy.OWN_WORD: "it ended, and said so",
    GoneBy.SUCCESSOR: "its next process found that nothing of it was left",
}


class Posted(Struct):
    """A call that was posted to a boot. Times are seconds of the server's monotonic clock."""

    call: Call
    posted_at: float
    is_quick: bool
    worker: str = ""
    pid: int = 0
    started_at: float | None = None
    thread: int | None = None
    is_asked: bool = False
    is_abandoned: bool = False

    def seen(self, ending: Ending | None = None) -> RunningCall:
        """Return it as others see it."""
        return RunningCall(
            *(self.call, self.worker, self.pid, self.posted_at, self.started_at, self.thread),
            *(self.is_asked, self.is_abandoned, ending),
        )

    def note(self, worker: str, pid: int, thread: int | None, ago: float | None) -> None:
        """Note where it runs, and for how long it has."""
        self.worker, self.pid, self.thread = worker, pid, thread
        if ago is not None and self.started_at is None:
            self.started_at = max(self.posted_at, time.monotonic() - ago)


class LinkOwner(Protocol):
    """Who is told what becomes of the calls of a boot."""

    def told(self, link: "HostLink", message: FromHost | FromServer) -> None:
        """The host says something that is no concern of the link's."""

    def finished(
        self, link: "HostLink", handed: Posted, outcome: Outcome, *, is_late: bool
    ) -> None:
        """A call ended; if it `is_late`, it was reported as abandoned before."""

    def returned(self, calls: list[Call]) -> None:
        """Calls come back that have not begun, and will not."""

    def changed(self, link: "HostLink") -> None:
        """Its state changed, or that of its pool."""

    def has_room(self) -> None:
        """It may take a call."""


class HostLink:
    """A boot of a host, as the server sees it.

    Args:
        hello: How it introduced itself.
        terms: On which it is part of the server.
        spec: Of the pool.
        owner: Is told what becomes of its calls.
    """

    def __init__(self, hello: Hello, terms: HostTerms, spec: PoolSpec, owner: LinkOwner) -> None:
        self.hello = hello
        self.calls: dict[str, Posted] = {}
        self.abandoned: dict[str, Posted] = {}
        self.workers: dict[str, WorkerIs] = {}
        self.workers_at = 0.0  # when they were told
        self._done = Counter[str]()  # calls that have ended since, by worker
        self.described: set[str] = set()  # workers whose code was told, until they are gone
        self.pool_state = PoolState.RUNNING
        self.pool_reason: str | None = None
        self.is_given_up = False
        self.is_draining = False
        self.most_slots = spec.size  # that it is to have, or will have soon
        self._open_slots = 0
        self.ends = EndsInOrder()
        self.code_version = ""
        self.looks: dict[str, asyncio.Future[str | None]] = {}
        self._kind = KINDS[spec.kind]
        self._terms = terms
        self._owner = owner
        self._lease = ServerLease(terms.lease, terms.margin, terms.rate_bound)
        self._talk = Talk.with_host(self._read, self._lost)
        self._usage = HostUsage()
        self._since = self._attached_at = self._heard_at = time.monotonic()
        self._told = HostState.NO_CONTACT
        self._over: Over | None = None  # what it was told, if it is to end
        self._ends_with_server = False  # that is why
        self._has_contact = False
        self._gone_at: float | None = None
        self._gone_by: GoneBy | None = None
        self._address = ""
        self._reason: str | None = None  # why it is drained, ended or gone
        self._loop = asyncio.get_running_loop()
        self._silence: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._commands = {command.name for command in spec.commands}
        self._quick = 0  # of the calls

    # What it is.

    @property
    def name(self) -> str:
        return self.hello.name

    @property
    def boot(self) -> str:
        return self.hello.boot

    @property
    def is_gone(self) -> bool:
        """Tell whether nothing of it runs any more."""
        return self._gone_at is not None

    @property
    def gone_at(self) -> float | None:
        return self._gone_at

    @property
    def has_contact(self) -> bool:
        """Tell whether it was heard of lately."""
        return self._has_contact and not self.is_gone

    @property
    def state(self) -> HostState:
        """How it stands to the server."""
        if self.is_gone:
            return HostState.GONE
        if not self._has_contact:
            return HostState.NO_CONTACT
        return HostState.DRAINING if self.is_draining else HostState.ATTACHED

    @property
    def takes_calls(self) -> bool:
        return (
            self._has_contact
            and not self.is_draining
            and not self.is_gone
            and self.pool_state is PoolState.RUNNING
        )

    @property
    def open_slots(self) -> int:
        """Return how many slots it has."""
        return min(self._open_slots, self.most_slots)

    @property
    def slots(self) -> int:
        """Return how many slots it has, with those that are gone when what runs there has ended."""
        running = {handed.worker for handed in self.calls.values()}
        here = (each for each in self.workers.values() if each.is_open or each.id in running)
        return min(sum(each.slots for each in here), self.most_slots)

    @property
    def busy(self) -> int:
        """Return how many of its slots run something, or may."""
        return min(len(self.calls), max(1, self.slots))

    @property
    def free(self) -> int:
        """Return how many calls it has slots for."""
        return max(0, self.open_slots - len(self.calls)) if self.takes_calls else 0

    @property
    def lead(self) -> int:
        """Return how many quick calls it may have beyond its slots now."""
        if not self.takes_calls or self._quick < len(self.calls):
            return 0
        return max(0, _LEAD * self.open_slots - len(self.calls))

    def can_run(self, among: Collection[str] | None) -> bool:
        """Tell whether one of some workers is here; None: any."""
        return among is None or any(worker in among for worker in self._open)

    @property
    def _open(self) -> list[str]:
        return [each.id for each in self.workers.values() if each.is_open]

    def free_by_worker(self) -> Mapping[str, int]:
        """Return how many of the free slots each worker has, as far as that is known."""
        left = self.free
        taken: dict[str, int] = {}
        for handed in self.calls.values():
            taken[handed.worker] = taken.get(handed.worker, 0) + 1
        free: dict[str, int] = {}
        for worker in self._open:
            here = min(left, self.workers[worker].slots - taken.get(worker, 0))
            if here > 0:
                free[worker] = here
                left -= here
        return free

    def snapshot(self) -> HostSnapshot:
        """Return it at this moment."""
        hello, usage = self.hello, self._usage
        return HostSnapshot(
            *(hello.name, hello.boot, hello.machine, hello.versions, hello.has, self.state),
            since=self._since,
            attached_at=self._attached_at,
            last_contact=self._heard_at,
            lease_until=None if self.is_gone else self._lease.over_at,
            gone_at=self._gone_at,
            gone_by=self._gone_by,
            reason=self._reason or self.pool_reason,
            pool_state=self.pool_state,
            slots=self.slots,
            busy=self.busy,
            workers=tuple(self.workers),
            load=usage.load,
            memory_bytes=hello.machine.memory_bytes,
            memory_used=usage.memory_used,
            rss_bytes=usage.rss_bytes,
            cpu_percent=usage.cpu_percent,
            calls=tuple(self._seen()),
            code_version=self.code_version,
            address=self._talk.peer or self._address,
        )

    def worker_snapshots(self) -> Iterator[WorkerSnapshot]:
        """Yield its workers at this moment."""
        calls: dict[str, list[RunningCall]] = {}
        for call in self._seen():
            calls.setdefault(call.worker, []).append(call)
        abandoned: dict[str, list[RunningCall]] = {}
        for handed in self.abandoned.values():
            abandoned.setdefault(handed.worker, []).append(handed.seen())
        for each in self.workers.values():
            here = tuple(calls.get(each.id, ()))
            state = each.state
            if each.is_open:
                state = WorkerState.BUSY if here else WorkerState.IDLE
            yield WorkerSnapshot(
                *(each.id, each.pid, state, self.workers_at - each.started_ago),
                *(each.slots, each.tasks_done + self._done[each.id]),
                *(here, tuple(abandoned.get(each.id, ()))),
                host=self.name,
                rss_bytes=self._usage.rss_bytes.get(each.id),
                cpu_percent=self._usage.cpu_percent.get(each.id),
            )

    def _seen(self) -> Iterator[RunningCall]:
        """Yield its calls as others see them, the one that was posted first before all others."""
        for before, handed in enumerate(self.calls.values()):
            yield handed.seen(self._ending(handed, before))

    def ending(self, handed: Posted) -> Ending:
        """Return how a call would end if it was killed."""
        before = next(n for n, each in enumerate(self.calls.values()) if each is handed)
        return self._ending(handed, before)

    def _ending(self, handed: Posted, before: int) -> Ending:
        """Return how a call would end that has so many before it.

        One that is not known to have begun may wait behind these.
        """
        if not self._has_contact:
            return Ending.UNREACHED
        if not handed.worker and self._kind.is_alone:
            is_behind = before >= max(1, self.open_slots)
            return Ending.NEVER_STARTED if is_behind else self._kind.function
        return self._kind.ending_of(is_command=handed.call.function in self._commands)

    # The connection.

    def attach(self, hello: Hello, stream: FrameStream, spec: PoolSpec) -> None:
        """Take over a connection of the boot, the first one or another.

        Raises:
            HostRefused: If the boot has been given up, or is over.
            ProtocolError: If it says that it has received what it cannot have.
        """
        if self.is_gone or not self._lease.grant():
            raise HostRefused("this boot of the host was given up: it must begin anew")
        self._commands = {command.name for command in spec.commands}
        received = self._talk.acked()
        terms = self._terms
        pool = HostPool.of(spec)
        welcome = Welcome(terms.deck, terms.term, pool, terms.lease, terms.renew, received)
        stream.send(0, encode(welcome))
        self._address = stream.peer
        self._talk.connect(stream, hello.received)
        if self._over is not None:
            self._talk.send_now(self._over)
        self._heard()
        self._watch()

    def say(self, message: FromServer, key: str | None = None) -> None:
        """Say something that is to arrive, now or over a later connection."""
        if not self.is_gone:
            self._talk.send(message, key)

    def drain(self, why: str) -> None:
        """Hand it nothing new, and end it when nothing runs there any more."""
        if not self.is_draining:
            self.is_draining = True
            self._reason = self._reason or why
            self.say(Drain())
            self._changed()

    def end(self, why: str, *, is_final: bool = False) -> None:
        """Have it end; it says when it is gone."""
        if self._over is None:
            self.is_draining = True
            self._reason = self._reason or why
            self._over = Over(why, is_final)
            self._talk.send_now(self._over)
            self._changed()

    def end_with_server(self) -> None:
        """Have it end because the server does: that is what cuts off what runs there then."""
        self._ends_with_server = self._over is None
        self.end("the server ends")

    def close(self) -> None:
        """Close the connection, and watch it no more."""
        if self._expiry is not None:
            self._expiry.cancel()
        if self._silence is not None:
            self._silence.cancel()
        self._talk.disconnect()

    def _lost(self, why: str | None) -> None:
        if not self.is_gone:
            _log.warning("host %s has lost its connection: %s", self.name, why or "it was closed")
            if why is not None:  # what it said then is lost, so nothing it has can be relied on
                self.end(f"it said what cannot be taken: {why}")
            self._without_contact()

    def _heard(self) -> None:
        """Note that it was heard of, and listen for the next time."""
        self._heard_at = time.monotonic()
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self._loop.call_later(_SILENT * self._terms.renew, self._without_contact)
        if not self._has_contact:
            self._has_contact = True
            self._changed()
            self._owner.has_room()

    def _without_contact(self) -> None:
        if self._has_contact:
            self._has_contact = False
            self._changed()

    def _changed(self) -> None:
        """Say that something changed, and remember since when its state is what it is."""
        if self.state is not self._told:
            self._told, self._since = self.state, time.monotonic()
        self._owner.changed(self)

    def _watch(self) -> None:
        """Look again when the lease is over, if it is not longer by then."""
        if self._expiry is not None:
            self._expiry.cancel()
        left = self._lease.over_at - time.monotonic()
        self._expiry = self._loop.call_later(max(0.0, left), self._judge)

    def _judge(self) -> None:
        if self.is_gone:
            return
        if not self._lease.give_up():
            self._watch()
            return
        silent = time.monotonic() - self._heard_at
        why = f"nothing was heard of it for {silent:.1f} s, and its lease is over"
        self._talk.send_now(Over("its lease is over"))
        self._bury(GoneBy.LEASE, why)

    def resolve(self, gone: Gone, by: GoneBy) -> None:
        """Take what is known of its calls now that nothing of it runs any more.

        Args:
            gone: What that is.
            by: Who says so.
        """
        if self.is_gone:
            return
        why = _ATTESTED[by]
        for task, attempt, end in gone.ended:
            handed = self.calls.get(task)
            if handed is not None and handed.call.attempt == attempt:
                self._drop(handed)
                handed.note(handed.worker, handed.pid, handed.thread, None)
                self._owner.finished(self, handed, end.outcome, is_late=False)
        if gone.is_whole:
            cut_off = set(gone.cut_off)
            not_begun = [
                handed
                for handed in self.calls.values()
                if (handed.call.task, handed.call.attempt) not in cut_off
                and handed.started_at is None
            ]
            for handed in not_begun:
                self._drop(handed)
            if not_begun:
                self._owner.returned([handed.call for handed in not_begun])
        self._bury(by, why)

    def _bury(self, by: GoneBy, why: str) -> None:
        """Note that nothing of it runs, and declare what it still had as lost."""
        self._lease.is_given_up = True
        self._gone_at = time.monotonic()
        self._gone_by, self._reason = by, f"{self._reason}: {why}" if self._reason else why
        self.workers = {}
        self._open_slots = 0
        if self._expiry is not None:
            self._expiry.cancel()
        if self._silence is not None:
            self._silence.cancel()
        for look in self.looks.values():
            if not look.done():
                look.set_result(None)
        lost = [*self.calls.values()]
        log = _log.warning if lost or by is GoneBy.LEASE else _log.info
        log(
            "host %s (boot %s) is gone: %s; %d calls ended with it",
            self.name,
            self.boot,
            why,
            len(lost),
        )
        for handed in lost:
            self._drop(handed)
            words = f"host {self.name} was lost while it had the task: {why}"
            self._owner.finished(self, handed, _lost(words), is_late=False)
        self._changed()
        if by is GoneBy.LEASE:
            self._loop.call_later(_LAST, self._talk.disconnect)
        else:
            self._talk.disconnect()

    # What the host says.

    def _read(self, message: FromHost | FromServer) -> None:
        if self.is_gone:
            self._refuse(message)
            return
        match message:
            case Renew():
                self._renew(message)
            case Ended():
                self._ended(message)
            case Began():
                self._began(message)
            case Back():
                self._returned(message)
            case PoolIs():
                self._pool_is(message)
            case Sampled():
                self._usage.take(message)
            case _:
                self._read_seldom(message)

    def _read_seldom(self, message: FromHost | FromServer) -> None:
        match message:
            case Stacked():
                look = self.looks.pop(message.task, None)
                if look is not None and not look.done():
                    look.set_result(message.text)
            case Leaving():
                self.drain(message.why)
            case Gone():
                self._talk.send_now(Ack(self._talk.acked()))
                self.resolve(message, GoneBy.OWN_WORD)
            case _:
                self._owner.told(self, message)

    def _renew(self, message: Renew) -> None:
        self._talk.acknowledge(message.received)
        if self._lease.grant():
            self._talk.send_now(Grant(message.n, self._talk.acked()))
            self._heard()

    def _refuse(self, message: FromHost | FromServer) -> None:
        """Leave what a boot says that was given up without effect."""
        if isinstance(message, Ended):
            words = "host %s reports the end of task %s, which was declared lost: refused"
            _log.warning(words, self.name, message.task)
        elif isinstance(message, Renew):
            self._talk.send_now(Over("its lease is over"))
        elif isinstance(message, Gone):
            self._talk.send_now(Ack(self._talk.acked()))
            self._talk.disconnect()

    def hand(self, call: Call, *, is_quick: bool, among: Collection[str] | None) -> None:
        """Post a call; there is room for it."""
        self.calls[call.task] = Posted(call, time.monotonic(), is_quick)
        self._quick += is_quick
        here = None
        if among is not None:
            fit = tuple(worker for worker in self._open if worker in among)
            here = fit if len(fit) < len(self._open) else None
        post = Post(self.boot, self._terms.term, call, is_quick, here)
        self._talk.send(post, call.task)

    def _drop(self, handed: Posted) -> None:
        del self.calls[handed.call.task]
        self._quick -= handed.is_quick

    def _find(self, task: str, attempt: int) -> Posted | None:
        handed = self.calls.get(task)
        return handed if handed is not None and handed.call.attempt == attempt else None

    def _began(self, message: Began) -> None:
        handed = self._find(message.task, message.attempt)
        if handed is not None:
            handed.note(message.worker, message.pid, message.thread, message.ago)
            self._owner.told(self, message)

    def _ended(self, message: Ended) -> None:
        if message.end:
            self.ends.note(message.end)
        if message.is_late:
            handed = self.abandoned.pop(f"{message.task}/{message.attempt}", None)
            if handed is not None:
                self._owner.finished(self, handed, message.outcome, is_late=True)
            return
        handed = self._find(message.task, message.attempt)
        if handed is None:
            return
        handed.note(message.worker, message.pid, message.thread, message.started_ago)
        self._drop(handed)
        if message.is_abandoned:
            handed.is_abandoned = True
            self.abandoned[f"{message.task}/{message.attempt}"] = handed
        self._done[message.worker] += 1
        self._owner.has_room()
        self._owner.finished(self, handed, self._judged(message.outcome), is_late=False)

    def _judged(self, outcome: Outcome) -> Outcome:
        """Say of what the end of the host cut off that it was that, if the server goes on."""
        error = outcome.error
        is_cut_off = error is not None and error.kind is ErrorKind.INTERRUPTED
        if not is_cut_off or self._ends_with_server:
            return outcome
        why = self._reason or "it was stopped"
        return _lost(f"host {self.name} ended while this task ran there: {why}")

    def _returned(self, message: Back) -> None:
        found = [self._find(task, attempt) for task, attempt in message.calls]
        calls = [handed for handed in found if handed is not None]
        for handed in calls:
            self._drop(handed)
        # What they were to wait behind takes long after all: nothing more is to wait there.
        for handed in self.calls.values():
            self._quick -= handed.is_quick
            handed.is_quick = False
        if calls:
            self._owner.returned([handed.call for handed in calls])
            self._owner.has_room()

    def _pool_is(self, message: PoolIs) -> None:
        self.pool_state, self.pool_reason = message.state, message.reason
        self.is_given_up = message.is_given_up
        before = self.workers
        self.workers = {each.id: each for each in message.workers}
        self.described -= before.keys() - self.workers.keys()
        self.workers_at = time.monotonic()
        self._done.clear()
        self._open_slots = sum(each.slots for each in message.workers if each.is_open)
        here = self.workers
        self.abandoned = {key: each for key, each in self.abandoned.items() if each.worker in here}
        self._changed()
        self._owner.has_room()


def _lost(words: str) -> Outcome:
    return Outcome(error=Error(ErrorKind.HOST_LOST, "HostLost", words))
