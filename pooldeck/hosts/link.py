"""The server's half of one boot of a host: what is said to it, and what becomes of its calls."""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping
from typing import Final, Protocol

from pooldeck.hosts.contact import HostContact
from pooldeck.hosts.departure import ATTESTED, Departure
from pooldeck.hosts.ends import EndsInOrder
from pooldeck.hosts.model import GoneBy, HostRefused, HostState, HostTerms
from pooldeck.hosts.posted import Posted, PostedCalls
from pooldeck.hosts.room import HostRoom
from pooldeck.hosts.stack_questions import StackQuestions
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.talk import Talk
from pooldeck.hosts.told_pool import ToldPool
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
    LookAt,
    Over,
    PoolIs,
    Post,
    Renew,
    Sampled,
    Stacked,
    Welcome,
    encode,
)
from pooldeck.kinds import KINDS, Ending
from pooldeck.outcome import Outcome
from pooldeck.pools.model import PoolSpec, PoolState
from pooldeck.protocol import Call

_log: Final = logging.getLogger(__name__)
_LAST: Final = 60.0  # seconds for a connection to a host that is given up


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
        self.calls = PostedCalls()
        self.pool = ToldPool(spec.size)
        self.room = HostRoom(self.calls, self.pool)
        self.contact = HostContact(terms, self._contact_changed, self._lease_over)
        self.usage = HostUsage()
        self.ends = EndsInOrder()
        self.stacks = StackQuestions(lambda task: self.say(LookAt(task), task))
        self.code_version = ""
        self.departure = Departure(hello.name)
        self.since = self.attached_at = time.monotonic()  # it is in its state, and here
        self._kind = KINDS[spec.kind]
        self._terms = terms
        self._owner = owner
        self._talk = Talk.with_host(self._read, self._lost)
        self._told = HostState.NO_CONTACT
        self._address = ""
        self._commands = {command.name for command in spec.commands}

    # What it is.

    @property
    def name(self) -> str:
        return self.hello.name

    @property
    def boot(self) -> str:
        return self.hello.boot

    @property
    def address(self) -> str:
        """Return from where it has dialled, the last time."""
        return self._talk.peer or self._address

    @property
    def is_gone(self) -> bool:
        """Tell whether nothing of it runs any more."""
        return self.departure.is_gone

    @property
    def has_contact(self) -> bool:
        """Tell whether it was heard of lately."""
        return self.contact.is_there

    @property
    def state(self) -> HostState:
        """How it stands to the server."""
        if self.is_gone:
            return HostState.GONE
        if not self.contact.is_there:
            return HostState.NO_CONTACT
        return HostState.DRAINING if self.departure.is_draining else HostState.ATTACHED

    @property
    def takes_calls(self) -> bool:
        return (
            self.contact.is_there
            and not self.departure.is_draining
            and self.pool.state is PoolState.RUNNING
        )

    @property
    def free(self) -> int:
        """Return how many calls it has slots for."""
        return self.room.free if self.takes_calls else 0

    @property
    def lead(self) -> int:
        """Return how many quick calls it may have beyond its slots now."""
        return self.room.lead if self.takes_calls else 0

    def free_by_worker(self) -> Mapping[str, int]:
        """Return how many of the free slots each worker has, as far as that is known."""
        return self.room.by_worker() if self.takes_calls else {}

    def ending(self, handed: Posted) -> Ending:
        """Return how a call would end if it was killed."""
        before = next(n for n, each in enumerate(self.calls) if each is handed)
        return self.ending_behind(handed, before)

    def ending_behind(self, handed: Posted, before: int) -> Ending:
        """Return how a call would end that has so many before it.

        One that is not known to have begun may wait behind these.
        """
        if not self.contact.is_there:
            return Ending.UNREACHED
        if not handed.worker and self._kind.is_alone:
            is_behind = before >= max(1, self.pool.open_slots)
            return Ending.NEVER_STARTED if is_behind else self._kind.function
        return self._kind.ending_of(is_command=handed.call.function in self._commands)

    # The connection.

    def attach(self, hello: Hello, stream: FrameStream, spec: PoolSpec) -> None:
        """Take over a connection of the boot, the first one or another.

        Raises:
            HostRefused: If the boot has been given up, or is over.
            ProtocolError: If it says that it has received what it cannot have.
        """
        if self.is_gone or not self.contact.grant():
            raise HostRefused("this boot of the host was given up: it must begin anew")
        self._commands = {command.name for command in spec.commands}
        received = self._talk.acked()
        terms = self._terms
        pool = HostPool.of(spec)
        welcome = Welcome(terms.deck, terms.term, pool, terms.lease, terms.renew, received)
        stream.send(0, encode(welcome))
        self._address = stream.peer
        self._talk.connect(stream, hello.received)
        self._say_over()
        self.contact.heard()
        self.contact.watch()

    def say(self, message: FromServer, key: str | None = None) -> None:
        """Say something that is to arrive, now or over a later connection."""
        if not self.is_gone:
            self._talk.send(message, key)

    def hand(self, call: Call, *, is_quick: bool, among: Collection[str] | None) -> None:
        """Post a call; there is room for it."""
        self.calls.add(call, is_quick=is_quick)
        post = Post(self.boot, self._terms.term, call, is_quick, self.room.fit(among))
        self._talk.send(post, call.task)

    def drain(self, why: str) -> None:
        """Hand it nothing new, and end it when nothing runs there any more."""
        if self.departure.drain(why):
            self.say(Drain())
            self._changed()

    def end(self, why: str, *, is_final: bool = False, with_server: bool = False) -> None:
        """Have it end; it says when it is gone.

        Args:
            why: In words.
            is_final: Whether there is to be no other boot.
            with_server: Whether it ends because the server does.
        """
        if self.departure.end(why, is_final=is_final, with_server=with_server):
            self._say_over()
            self._changed()

    def _say_over(self) -> None:
        if self.departure.over is not None:
            self._talk.send_now(self.departure.over)

    def close(self) -> None:
        """Close the connection, and watch it no more."""
        self.contact.close()
        self._talk.disconnect()

    def _lost(self, why: str | None) -> None:
        if not self.is_gone:
            _log.warning("host %s has lost its connection: %s", self.name, why or "it was closed")
            if why is not None:  # what it said then is lost, so nothing it has can be relied on
                self.end(f"it said what cannot be taken: {why}")
            self.contact.lost()

    def _contact_changed(self) -> None:
        self._changed()
        if self.contact.is_there:
            self._owner.has_room()

    def _changed(self) -> None:
        """Say that something changed, and remember since when its state is what it is."""
        if self.state is not self._told:
            self._told, self.since = self.state, time.monotonic()
        self._owner.changed(self)

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
                self.usage.take(message)
            case _:
                self._read_seldom(message)

    def _read_seldom(self, message: FromHost | FromServer) -> None:
        match message:
            case Stacked():
                self.stacks.answer(message.task, message.text)
            case Leaving():
                self.drain(message.why)
            case Gone():
                self._talk.send_now(Ack(self._talk.acked()))
                self.resolve(message, GoneBy.OWN_WORD)
            case _:
                self._owner.told(self, message)

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

    def _renew(self, message: Renew) -> None:
        self._talk.acknowledge(message.received)
        if self.contact.grant():
            self._talk.send_now(Grant(message.n, self._talk.acked()))
            self.contact.heard()

    def _began(self, message: Began) -> None:
        handed = self.calls.find(message.task, message.attempt)
        if handed is not None:
            handed.note(message.worker, message.pid, message.thread, message.ago)
            self._owner.told(self, message)

    def _ended(self, message: Ended) -> None:
        if message.end:
            self.ends.note(message.end)
        if message.is_late:
            handed = self.calls.pop_abandoned(message.task, message.attempt)
            if handed is not None:
                self._owner.finished(self, handed, message.outcome, is_late=True)
            return
        handed = self.calls.find(message.task, message.attempt)
        if handed is None:
            return
        handed.note(message.worker, message.pid, message.thread, message.started_ago)
        self.calls.drop(handed)
        if message.is_abandoned:
            self.calls.abandon(handed)
        self.pool.note_end(message.worker)
        self._owner.has_room()
        self._owner.finished(self, handed, self.departure.judged(message.outcome), is_late=False)

    def _returned(self, message: Back) -> None:
        found = [self.calls.find(task, attempt) for task, attempt in message.calls]
        calls = [handed for handed in found if handed is not None]
        for handed in calls:
            self.calls.drop(handed)
        # What they were to wait behind takes long after all: nothing more is to wait there.
        self.calls.take_none_for_quick()
        if calls:
            self._owner.returned([handed.call for handed in calls])
            self._owner.has_room()

    def _pool_is(self, message: PoolIs) -> None:
        self.pool.take(message)
        self.calls.keep_abandoned(self.pool.workers)
        self._changed()
        self._owner.has_room()

    # The end.

    def _lease_over(self) -> None:
        silent = time.monotonic() - self.contact.heard_at
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
        for handed, outcome in self.calls.drop_ended(gone):
            self._owner.finished(self, handed, outcome, is_late=False)
        if not_begun := self.calls.drop_not_begun(gone):
            self._owner.returned([handed.call for handed in not_begun])
        self._bury(by, ATTESTED[by])

    def _bury(self, by: GoneBy, why: str) -> None:
        """Note that nothing of it runs, and declare what it still had as lost."""
        self.departure.gone(by, why)
        self.contact.end()
        self.pool.end()
        self.stacks.end()
        lost = [*self.calls]
        log = _log.warning if lost or by is GoneBy.LEASE else _log.info
        words = "host %s (boot %s) is gone: %s; %d calls ended with it"
        log(words, self.name, self.boot, why, len(lost))
        for handed in lost:
            self.calls.drop(handed)
            self._owner.finished(self, handed, self.departure.lost(why), is_late=False)
        self._changed()
        if by is GoneBy.LEASE:
            asyncio.get_running_loop().call_later(_LAST, self._talk.disconnect)
        else:
            self._talk.disconnect()
