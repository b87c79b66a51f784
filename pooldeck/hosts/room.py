"""How many more calls a host can take: the server counts its slots less what it has in hand.

A count that the host sent would be late: it leaves before the end that frees the slot.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from pooldeck.hosts.posted import PostedCalls
from pooldeck.hosts.told_pool import ToldPool

_LEAD: Final = 32  # quick calls that a slot may have ahead: what is on its way is no use to it yet


@dataclass(eq=False)
class HostRoom:
    """The room on a host that takes calls.

    Args:
        calls: What it has in hand.
        pool: Its pool.
    """

    calls: PostedCalls
    pool: ToldPool

    @property
    def slots(self) -> int:
        """Return how many slots it has, with those that are gone when what runs there has ended."""
        running = {handed.worker for handed in self.calls}
        there = self.pool.workers.values()
        slots = sum(each.slots for each in there if each.is_open or each.id in running)
        return min(slots, self.pool.most_slots)

    @property
    def busy(self) -> int:
        """Return how many of its slots run something, or may."""
        return min(len(self.calls), max(1, self.slots))

    @property
    def free(self) -> int:
        """Return how many calls it has slots for."""
        return max(0, self.pool.open_slots - len(self.calls))

    @property
    def lead(self) -> int:
        """Return how many quick calls it may have beyond its slots now."""
        if not self.calls.are_quick:
            return 0
        return max(0, _LEAD * self.pool.open_slots - len(self.calls))

    def can_run(self, among: Collection[str] | None) -> bool:
        """Tell whether one of some workers is here; None: any."""
        return among is None or any(worker in among for worker in self.pool.open_workers)

    def fit(self, among: Collection[str] | None) -> tuple[str, ...] | None:
        """Return those of some workers that are here; None if these are all that it has."""
        if among is None:
            return None
        here = self.pool.open_workers
        fit = tuple(worker for worker in here if worker in among)
        return fit if len(fit) < len(here) else None

    def by_worker(self) -> Mapping[str, int]:
        """Return how many of the free slots each worker has, as far as that is known."""
        left = self.free
        taken = Counter(handed.worker for handed in self.calls)
        free: dict[str, int] = {}
        for worker in self.pool.open_workers:
            here = min(left, self.pool.workers[worker].slots - taken[worker])
            if here > 0:
                free[worker] = here
                left -= here
        return free
