"""Locks and semaphores where they are kept: permits, leased to whoever holds them.

    acquire ──▶ a permit is free and nobody waits ──▶ lease ──▶ release, or its holder is gone
        └─────▶ waiter, first come first served ──────▲

A lease ends with the connection of the thread that has it, with its worker, or with its task.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from threading import Event, Lock, get_ident

from pooldeck.shared.errors import NotHeldError
from pooldeck.shared.snapshot import Held, Holder, SharedThing
from pooldeck.shared.values_state import Budget, SharedValue


class Lease:
    """A permit that somebody has or waits for.

    Attributes:
        holder: Who.
        session: The thread that serves the holder's connection.
        since: When it began, in microseconds since the epoch.
    """

    def __init__(self, holder: Holder, mutex: Lock, drop: "Callable[[Lease], bool]") -> None:
        self.holder = holder
        self.session = get_ident()
        self.since = _now()
        self._decided = Event()
        self._mutex = mutex
        self._drop = drop

    def grant(self) -> None:
        """Turn a waiter into a holder."""
        self.since = _now()
        self._decided.set()

    def refuse(self) -> None:
        """Let a waiter go without a permit."""
        self._decided.set()

    def wait(self, seconds: float | None) -> bool:
        """Wait for the permit; return whether it came in time. Called without the mutex."""
        self._decided.wait(seconds)
        with self._mutex:
            return not self._drop(self)

    @property
    def held(self) -> Held:
        """Return how it looks from outside."""
        return Held(self.holder, self.since)


class PermitsThing(SharedValue):
    """So many permits, handed out in the order in which they were asked for.

    Args:
        budget: As for all things.
        mutex: What the caller of operations holds, and waiting needs again.
    """

    operations = frozenset({"acquire", "release"})

    def __init__(self, budget: Budget, mutex: Lock) -> None:
        super().__init__(budget)
        self._mutex = mutex
        self._holders: list[Lease] = []
        self._waiters: deque[Lease] = deque()

    def adjust(self, settings: Mapping[str, float]) -> None:
        """Take how many permits there are; where they are fewer than before, none is taken away."""
        super().adjust(settings)
        self._pass_on()

    def acquire(self, holder: Holder, *, may_wait: bool) -> Lease | bool:
        """Take a permit.

        Returns:
            Whether it was there; or what to wait on.

        Raises:
            NotHeldError: If the same thread holds the only permit: it would wait for itself.
        """
        if self._permits == 1 and self._of(get_ident()) is not None:
            raise NotHeldError("this thread holds it already, and would wait for itself")
        lease = Lease(holder, self._mutex, self._drop_waiter)
        if len(self._holders) < self._permits and not self._waiters:
            self._holders.append(lease)
            return True
        if may_wait:
            self._waiters.append(lease)
            return lease
        return False

    def release(self) -> None:
        """Give back a permit that this thread holds.

        Raises:
            NotHeldError: If it holds none.
        """
        lease = self._of(get_ident())
        if lease is None:
            raise NotHeldError("this thread does not hold it (any more)")
        self._holders.remove(lease)
        self._pass_on()

    def end(self, is_gone: Callable[[Lease], bool]) -> None:
        """Take back what those have who are gone, and let nobody of them wait."""
        for lease in [waiter for waiter in self._waiters if is_gone(waiter)]:
            self._waiters.remove(lease)
            lease.refuse()
        self._holders = [lease for lease in self._holders if not is_gone(lease)]
        self._pass_on()

    @property
    def is_in_use(self) -> bool:
        """Tell whether somebody holds it or waits for it."""
        return bool(self._holders or self._waiters)

    def shown(self, name: str) -> SharedThing:
        """Return how it looks from outside."""
        return SharedThing(
            self.kind,
            name,
            size=len(self._holders),
            permits=self._permits,
            holders=tuple(lease.held for lease in self._holders),
            waiters=tuple(lease.held for lease in self._waiters),
        )

    @property
    def _permits(self) -> int:
        return int(self._settings.get("permits", 1))

    def _of(self, session: int) -> Lease | None:
        return next((lease for lease in self._holders if lease.session == session), None)

    def _pass_on(self) -> None:
        while self._waiters and len(self._holders) < self._permits:
            lease = self._waiters.popleft()
            self._holders.append(lease)
            lease.grant()

    def _drop_waiter(self, lease: Lease) -> bool:
        """Take out one that has waited long enough; return whether it has no permit."""
        if lease in self._waiters:
            self._waiters.remove(lease)
        return lease not in self._holders


class LockThing(PermitsThing):
    """One permit."""

    kind = "lock"


class SemaphoreThing(PermitsThing):
    """Several permits."""

    kind = "semaphore"


def _now() -> int:
    return time.time_ns() // 1000
