"""The memory of a pool: what its workers hold, what there is, who made them grow. In bytes."""

from typing import Final

from msgspec import Struct

from pooldeck.kinds import KINDS, PoolKind

KILLED_AT: Final = 1.5
"""Times its limit that a worker may hold before it is killed; over the limit it is replaced."""

_TIGHT: Final = 0.85  # of what there is


class MemoryGrowth(Struct, frozen=True):
    """By how much a function lets its workers grow: in a run, and in `runs` of the last hour."""

    function: str
    per_run: float
    runs: int

    @property
    def lately(self) -> float:
        return self.per_run * self.runs


class PoolMemory(Struct, frozen=True):
    """The memory of a pool.

    `held` is what its `workers` hold together, `most` the highest that one of them ever held.
    `worker_limit` is the setting above which a worker is replaced, 0 for none; `available` what the
    control group or the machine has for all of this server, None where that is unknown, of which
    `others` is held by the other pools and by the server itself. `growth` names the functions that
    ran lately and made workers grow, the first of them most.
    """

    kind: PoolKind
    size: int
    workers: int
    held: int
    most: int
    worker_limit: int
    available: int | None
    others: int
    growth: tuple[MemoryGrowth, ...] = ()

    @property
    def per_worker(self) -> int | None:
        """Return what to reckon with for each worker; None before a look at them."""
        return max(self.most, self.held // self.workers) if self.workers and self.held else None

    def needed(self, size: int) -> int | None:
        """Return what another size would need, as its workers are; None before a look at them.

        Threads share a process: more of them take more only by what their tasks hold.
        """
        one = self.per_worker
        return None if one is None else one * self._workers_at(size)

    def bound(self, size: int) -> int | None:
        """Return the most that another size can take before workers are killed; None: no limit."""
        if not self.worker_limit:
            return None
        return int(KILLED_AT * self.worker_limit) * self._workers_at(size)

    def fits(self, size: int) -> str | None:
        """Return "fits", "tight" or "over" of a size, with all else; None where it is unknown."""
        needed = self.needed(size)
        if needed is None or self.available is None:
            return None
        share = (needed + self.others) / self.available
        return "over" if share > 1 else "tight" if share > _TIGHT else "fits"

    def _workers_at(self, size: int) -> int:
        """Return how many workers a size has; those that stand by stay as many as they are."""
        if not KINDS[self.kind].is_alone:
            return max(1, self.workers)
        return size + max(0, self.workers - self.size)
