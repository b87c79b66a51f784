"""Locks and semaphores where they are kept: permits, each leased to a thread.

    acquire ──▶ a permit is free and no thread waits ──▶ lease ──▶ release, or the holder is gone
        └─────▶ waiter, first come first served ───────────▲

A lease ends with the connection of the thread that has it, with its worker, or with its task.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event, get_ident

from pooldeck.shared.errors import NotHeldError
from pooldeck.shared.snapshot import Held, Holder, SharedEntry
from pooldeck.shared.values_state import NamedState


def _now() -> int:
    return time.time_ns() // 1000


@dataclass(eq=False)
class Lease:
    """A permit that a thread has or waits for."""

    holder: Holder
    session: int = field(default_factory=get_ident)  # the thread that serves its connection
    since: int = field(default_factory=_now)
    is_decided: Event = field(default_factory=Event)

    def grant(self) -> None:
        self.since = _now()
        self.is_decided.set()

    def snapshot(self) -> Held:
        return Held(self.holder, self.since)


@dataclass(eq=False)
class SemaphoreState(NamedState):
    """Permits, granted in the order of asking."""

    kind = "semaphore"
    operations = frozenset({"release"})

    _holders: list[Lease] = field(default_factory=list, init=False)
    _waiters: deque[Lease] = field(default_factory=deque, init=False)

    def configure(self, settings: Mapping[str, float]) -> None:
        """Set how many permits there are; where they are fewer than before, none is taken away."""
        super().configure(settings)
        self._grant_free()

    def request(self, holder: Holder) -> Lease:
        """Request a permit; it is granted as soon as there is one, at once if there is one now."""
        if self._permits == 1 and self._lease_of(get_ident()) is not None:
            raise NotHeldError("this thread holds it already, and would wait for itself")
        lease = Lease(holder)
        self._waiters.append(lease)
        self._grant_free()
        return lease

    def confirm(self, lease: Lease) -> bool:
        """End a wait; return whether the permit was granted."""
        if lease in self._waiters:
            self._waiters.remove(lease)
        return lease in self._holders

    def release(self) -> None:
        lease = self._lease_of(get_ident())
        if lease is None:
            raise NotHeldError("this thread does not hold it (any more)")
        self._holders.remove(lease)
        self._grant_free()

    def end_leases(self, is_gone: Callable[[Lease], bool]) -> None:
        for lease in [waiter for waiter in self._waiters if is_gone(waiter)]:
            self._waiters.remove(lease)
            lease.is_decided.set()
        self._holders = [lease for lease in self._holders if not is_gone(lease)]
        self._grant_free()

    @property
    def is_in_use(self) -> bool:
        return bool(self._holders or self._waiters)

    def snapshot(self, name: str) -> SharedEntry:
        return SharedEntry(
            self.kind,
            name,
            size=len(self._holders),
            permits=self._permits,
            holders=tuple(lease.snapshot() for lease in self._holders),
            waiters=tuple(lease.snapshot() for lease in self._waiters),
        )

    @property
    def _permits(self) -> int:
        return int(self._settings.get("permits", 1))

    def _lease_of(self, session: int) -> Lease | None:
        return next((lease for lease in self._holders if lease.session == session), None)

    def _grant_free(self) -> None:
        while self._waiters and len(self._holders) < self._permits:
            lease = self._waiters.popleft()
            self._holders.append(lease)
            lease.grant()


class LockState(SemaphoreState):
    """A semaphore of one permit: its settings name no other number."""

    kind = "lock"
