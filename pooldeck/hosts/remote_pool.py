"""A pool whose slots are on other machines.

It is asked as any pool is. Each boot of a host has a `HostLink`; here calls are given to them, and
what they tell is passed on to the pool's listener.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from pooldeck.hosts.boots import HostBoots
from pooldeck.hosts.link import HostLink
from pooldeck.hosts.model import HostRefused, HostSnapshot, HostTerms
from pooldeck.hosts.picture import host_snapshot, worker_snapshots
from pooldeck.hosts.posted import Posted
from pooldeck.hosts.retelling import Retelling
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.wire import (
    CancelCall,
    Drain,
    EndsKept,
    FromHost,
    FromServer,
    Gone,
    Hello,
    KillCall,
    KillWorker,
    Resize,
    Restart,
    Resume,
    WorkerIs,
)
from pooldeck.kinds import Ending
from pooldeck.outcome import Outcome
from pooldeck.pools.boxes import EndsSeen
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.model import CodeSpec, PoolSpec, PoolState, WorkerState
from pooldeck.pools.port import PoolPort, PoolSnapshot
from pooldeck.protocol import Call

_HISTORY: Final = 600.0  # seconds for which a host that is gone is remembered
_FAREWELL: Final = 5.0  # seconds, beside the margin, for hosts to end when the pool stops


class RemotePool(PoolPort):
    """The slots of all hosts of a pool.

    Args:
        spec: What the pool on each host is made of; its size is that of each host.
        terms: On which hosts are part of this server.
        listener: Is told what becomes of calls and workers.
        on_hosts: Called when the picture of the hosts has changed.
        on_gone: Called with what an earlier boot has left that is not this run's.
    """

    def __init__(
        self,
        spec: PoolSpec,
        terms: HostTerms,
        listener: PoolListener,
        on_hosts: Callable[[], None] = lambda: None,
        on_gone: Callable[[Gone], None] = lambda _: None,
    ) -> None:
        self._spec = replace(spec, folder=None, shared=None)
        self._terms = terms
        self._listener = listener
        self._on_hosts = on_hosts
        self._on_gone = on_gone
        self._state = PoolState.RUNNING
        self._boots = HostBoots(terms, self)
        self._retelling = Retelling(listener)
        self._is_ending = False
        self._empty = asyncio.Event()

    # Hosts.

    def attach(self, hello: Hello, stream: FrameStream) -> None:
        """Make a host part of the pool, or go on with one whose connection was lost.

        The connection is the pool's from now on.

        Args:
            hello: How the host introduced itself, with a token that is good.
            stream: The connection to it.

        Raises:
            HostRefused: If it is not taken; the connection is the caller's then.
            ProtocolError: If it says that it has received what it cannot have.
        """
        if self._is_ending:
            raise HostRefused(f"pool {self._spec.name} takes no hosts: the server ends")
        link = self._boots.attach(hello, stream)
        is_open = self._state is PoolState.RUNNING or self._state is PoolState.PAUSED
        if link is not None and not is_open:
            link.say(Drain())

    @property
    def hosts(self) -> Sequence[HostSnapshot]:
        """All boots of hosts, the oldest first; those that are gone for a while, too."""
        return [host_snapshot(link) for link in self._boots]

    @property
    def slots(self) -> int:
        """How many slots there are on all hosts now."""
        return sum(link.pool.open_slots for link in self._boots.here)

    def host_of(self, worker: str) -> str | None:
        """Return the name of the host that a worker is on, or was, by the worker's id."""
        pool, at, rest = worker.rpartition("-")[0].partition("@")
        return rest.rpartition(".")[0] or None if at and pool == self._spec.name else None

    def drain_host(self, name: str) -> bool:
        """Let a host end when nothing runs there any more; return whether there is one."""
        links = self._boots.named(name)
        for link in links:
            link.drain("it was to be drained")
        return bool(links)

    def end_host(self, name: str, why: str) -> bool:
        """End a host now, with what runs there; return whether there is one."""
        links = self._boots.named(name)
        for link in links:
            link.end(why, is_final=True)
        return bool(links)

    # What it is.

    @property
    def spec(self) -> PoolSpec:
        return self._spec

    @property
    def size(self) -> int:
        return self._spec.size

    @property
    def state(self) -> PoolState:
        here = [link for link in self._boots.here if link.has_contact]
        if self._state is PoolState.RUNNING or self._state is PoolState.PAUSED:
            is_broken = here and all(link.pool.state is PoolState.BROKEN for link in here)
            return PoolState.BROKEN if is_broken else self._state
        return self._state

    @property
    def reason(self) -> str | None:
        """Why there is no host, or its workers cannot be started; None if all is well."""
        here = [*self._boots.here]
        if not here and not self._is_ending:
            return "no host is attached"
        told = (f"host {link.name}: {link.pool.reason}" for link in here if link.pool.reason)
        return next(told, None)

    @property
    def is_given_up(self) -> bool:
        here = [*self._boots.here]
        return bool(here) and all(link.pool.is_given_up for link in here)

    @property
    def free(self) -> int:
        if self._state is not PoolState.RUNNING:
            return 0
        return sum(link.free for link in self._boots)

    @property
    def free_by_worker(self) -> Mapping[str, int]:
        if self._state is not PoolState.RUNNING:
            return {}
        free: dict[str, int] = {}
        for link in self._boots.here:
            free.update(link.free_by_worker())
        return free

    @property
    def busy(self) -> int:
        return sum(link.room.busy for link in self._boots.here)

    @property
    def pids(self) -> Mapping[str, int]:
        """Nothing: they mean something on their own machines only."""
        return {}

    @property
    def present(self) -> Collection[str]:
        return {
            worker
            for link in self._boots.here
            for worker in (*link.pool.workers, *link.pool.described)
        }

    @property
    def staffed(self) -> Sequence[str]:
        return [each.id for each in self._workers() if each.is_open]

    @property
    def ready(self) -> Sequence[str]:
        ready = (WorkerState.SPARE, WorkerState.IDLE, WorkerState.BUSY)
        return [each.id for each in self._workers() if each.is_open or each.state in ready]

    def _workers(self) -> Iterator[WorkerIs]:
        for link in self._boots.here:
            yield from link.pool.workers.values()

    def snapshot(self) -> PoolSnapshot:
        workers = tuple(each for link in self._boots.here for each in worker_snapshots(link))
        hosts = tuple(self.hosts)
        return PoolSnapshot(self.spec, self.state, self.reason, self.busy, workers, hosts)

    # Calls.

    def post(
        self, call: Call, *, is_quick: bool = False, among: Collection[str] | None = None
    ) -> bool:
        if self._state is not PoolState.RUNNING:
            return False
        link = self._boots.with_room(among, is_quick=is_quick)
        if link is None:
            return False
        link.hand(call, is_quick=is_quick, among=among)
        return True

    def cancel(self, task: str) -> bool:
        found = self._boots.holding(task)
        if found is None:
            return False
        link, handed = found
        handed.is_asked = True
        link.say(CancelCall(task), task)
        return True

    def kill(self, task: str) -> Ending | None:
        found = self._boots.holding(task)
        if found is None:
            return None
        link, handed = found
        link.say(KillCall(task), task)
        return link.ending(handed)

    async def stack(self, task: str) -> str | None:
        found = self._boots.holding(task)
        if found is None or not found[0].has_contact:
            return None
        return await found[0].stacks.stack(task)

    def ends(self) -> EndsSeen | None:
        numbers = {link.boot: link.ends.whole for link in self._boots.here}
        known = {link.boot: link.ends.kept for link in self._boots.here}
        news = {boot: number for boot, number in numbers.items() if number != known[boot]}
        return EndsSeen(news, frozenset())

    def commit(self, ends: EndsSeen) -> None:
        for boot, number in ends.numbers.items():
            link = self._boots.get(boot)
            if link is not None and not link.is_gone:
                link.ends.kept = number
                link.say(EndsKept(number))

    # Workers.

    def resize(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a pool has at least 1 slot, not {size}")
        self._spec = replace(self._spec, size=size)
        for link in self._boots.here:
            link.pool.most_slots = size
        self._say(Resize(size))

    def restart(self, code: CodeSpec | None = None) -> None:
        if code is not None:
            self._spec = replace(self._spec, modules=code.modules, commands=code.commands)
        self._say(Restart(code))

    def kill_worker(self, worker_id: str) -> bool:
        for link in self._boots.here:
            if worker_id in link.pool.workers:
                link.say(KillWorker(worker_id))
                return True
        return False

    def note_memory(self, worker_id: str, rss_bytes: int) -> None:
        """Do nothing: each host holds its workers to the limit itself."""

    def _say(self, message: FromServer) -> None:
        for link in self._boots.here:
            link.say(message)

    # From start to stop.

    async def start(self) -> None:
        """Do nothing: hosts come when they come."""

    def pause(self) -> None:
        self._turn(PoolState.PAUSED)

    def resume(self) -> None:
        self._turn(PoolState.RUNNING)

    def drain(self) -> None:
        self._turn(PoolState.DRAINING)

    def _turn(self, state: PoolState) -> None:
        if self._is_ending:
            return
        was, self._state = self._state, state
        if state is PoolState.DRAINING:
            self._say(Drain())
            self._note_drained()
        elif was is PoolState.DRAINING or was is PoolState.STOPPED:
            for link in self._boots.here:
                if not link.departure.is_draining:
                    link.say(Resume())
        self._listener.changed()
        self._listener.has_room()

    def _note_drained(self) -> None:
        if self._state is PoolState.DRAINING and not any(
            link.pool.workers for link in self._boots.here
        ):
            self._state = PoolState.STOPPED

    async def stop(self, grace: float) -> None:
        """Take no more calls, let what runs end for a while, then have every host end.

        Calls of a host that does not say within some seconds that it is gone are not reported: it
        may run them as long as its lease lasts.
        """
        self._is_ending = True
        self._state = PoolState.STOPPED
        with suppress(TimeoutError):
            await asyncio.wait_for(self._nothing(lambda link: bool(link.calls)), grace)
        for link in self._boots.here:
            link.end("the server ends", with_server=True)
        with suppress(TimeoutError):
            most = self._terms.margin + _FAREWELL
            await asyncio.wait_for(self._nothing(lambda link: link.has_contact), most)
        for link in self._boots:
            link.close()

    async def _nothing(self, is_so: Callable[[HostLink], bool]) -> None:
        """Return when something is so of no host."""
        while any(is_so(link) for link in self._boots.here):
            self._empty.clear()
            await self._empty.wait()

    def expel_leaving(self) -> None:
        """Do nothing: hosts end at once what leaves when they are told to end."""

    # What links tell.

    def told(self, link: HostLink, message: FromHost | FromServer) -> None:
        """Pass on what concerns nothing but the listener."""
        self._retelling.tell(link, message)

    def left(self, gone: Gone) -> None:
        """Pass on what an earlier boot has left that is not this run's."""
        self._on_gone(gone)

    def finished(self, link: HostLink, handed: Posted, outcome: Outcome, *, is_late: bool) -> None:
        """Pass on an end."""
        if is_late:
            self._listener.abandoned_ended(handed.seen(), outcome)
        else:
            self._listener.finished(handed.seen(), outcome)
        self._calls_changed(link)

    def returned(self, calls: list[Call]) -> None:
        """Pass on what comes back."""
        self._listener.returned(calls)
        self._empty.set()

    def _calls_changed(self, link: HostLink) -> None:
        if not link.calls:
            self._empty.set()
            if link.departure.is_draining:
                self._end_if_drained(link)

    def _end_if_drained(self, link: HostLink) -> None:
        is_empty = not link.calls and (
            not link.pool.workers or link.pool.state is PoolState.STOPPED
        )
        if link.departure.is_draining and is_empty and self._state is not PoolState.DRAINING:
            link.end("it was drained", is_final=True)

    def changed(self, link: HostLink) -> None:
        """Note that a host, or its pool, is in another state."""
        self._note_drained()
        if link.departure.is_draining and not self._is_ending:
            self._end_if_drained(link)
        if link.is_gone:
            asyncio.get_running_loop().call_later(_HISTORY, self._boots.forget, link.boot)
        self._empty.set()
        self._on_hosts()
        self._listener.changed()

    def has_room(self) -> None:
        """Pass on that a call may be taken."""
        self._listener.has_room()
