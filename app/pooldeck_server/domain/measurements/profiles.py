"""What the runs of a function cost in pools of one kind, as sums that forget.

A profile counts runs that had their process to themselves apart from those that shared it with
others: what was measured of the latter tells as much about their company as about themselves. Every
200 runs halve the weight of what was known before, so that a function that changes is noticed.
`pooldeck_server.domain.measurements.contention` says how the company's share is taken out.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Self

from msgspec import Struct

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement, Observation
from pooldeck_server.domain.measurements import contention
from pooldeck_server.domain.measurements.run_sums import Sums

HALF_LIFE: Final = 200
"""Runs after which what was known before counts half."""

_ALONE: Final = 0.2  # other calls in the process, in the mean, at most
_FAST: Final = 0.1  # weight of the newest run in the two means that show a trend
_SLOW: Final = 0.01


class Profile(Struct, frozen=True, omit_defaults=True):
    """What is known of a function in pools of one kind. Moments are microseconds since the epoch.

    The properties tell of one run, in the mean: `wall` with all that it met beside it, the others
    as it would be by itself.
    """

    function: str
    kind: PoolKind
    runs_ever: int = 0
    first_at: int = 0  # when its first run was noted
    last_at: int = 0  # when its latest run was noted
    fast: float = 0.0  # mean wall time in seconds that follows the latest ten runs or so
    slow: float = 0.0  # the same of the latest hundred
    by_itself: Sums = Sums()  # runs that had their process to themselves
    in_company: Sums = Sums()  # runs beside which others ran

    @property
    def total(self) -> Sums:
        return self.by_itself.plus(self.in_company)

    @property
    def runs(self) -> float:
        """Return how many runs are remembered, those that are half forgotten as half a run."""
        return self.by_itself.runs + self.in_company.runs

    @property
    def wall(self) -> float:
        total = self.total
        return total.per_run(total.run)

    @property
    def cpu(self) -> float:
        """Return the CPU time of the call's own thread in seconds."""
        total = self.total
        return total.per_run(total.cpu)

    @property
    def child_cpu(self) -> float:
        """Return the CPU time of child processes in seconds."""
        total = self.total
        return total.per_run(total.child_cpu)

    @property
    def helper_cpu(self) -> float:
        """Return the CPU time in seconds of other threads that work for it."""
        return contention.helper_cpu(self.by_itself, self.in_company)

    @property
    def helper_delayed(self) -> float:
        """Return for how many seconds of its waiting those were ready and no CPU was free."""
        return contention.in_a_run(self.total, self.total.seen_helper_delayed)

    @property
    def waiting(self) -> float:
        """Return for how many seconds it waits for anything but the GIL and a CPU."""
        return contention.waiting(self.by_itself, self.in_company)

    @property
    def alone(self) -> float:
        """Return how many seconds it takes where nothing runs beside it."""
        return self.cpu + self.waiting

    @property
    def gil(self) -> float | None:
        """Return the CPU time in seconds for which it needs the GIL; None if that was not seen."""
        free = contention.free_share(self.by_itself, self.in_company)
        return None if free is None else self.cpu * (1.0 - free)

    def after(
        self,
        measured: Sequence[Measurement],
        observations: Sequence[Observation],
        *,
        runs: int,
        now: int,
    ) -> Self:
        """Return the profile after more runs, by what the latest cost and what was seen of them."""
        weight = 0.5 ** (runs / HALF_LIFE)
        lone, crowd = _split(measured, observations)
        fast, slow = self._followed(measured)
        return type(self)(
            function=self.function,
            kind=self.kind,
            runs_ever=self.runs_ever + runs,
            first_at=self.first_at or now,
            last_at=now,
            fast=fast,
            slow=slow,
            by_itself=self.by_itself.plus(lone, weight),
            in_company=self.in_company.plus(crowd, weight),
        )

    def _followed(self, measured: Sequence[Measurement]) -> tuple[float, float]:
        """Return the fast and the slow mean after more runs."""
        if not measured:
            return self.fast, self.slow
        fast, slow = (self.fast, self.slow) if self.runs_ever else (measured[0].run,) * 2
        for one in measured:
            fast += _FAST * (one.run - fast)
            slow += _SLOW * (one.run - slow)
        return fast, slow


def _split(
    measured: Iterable[Measurement], observations: Iterable[Observation]
) -> tuple[Sums, Sums]:
    """Return the sums over what had its process to itself, and over the rest."""
    lone_runs: list[Measurement] = []
    other_runs: list[Measurement] = []
    for one in measured:
        (other_runs if one.beside else lone_runs).append(one)
    lone_looks: list[Observation] = []
    other_looks: list[Observation] = []
    for seen in observations:
        (lone_looks if seen.beside <= _ALONE else other_looks).append(seen)
    return (
        Sums.of_runs(lone_runs).plus(Sums.of_looks(lone_looks)),
        Sums.of_runs(other_runs).plus(Sums.of_looks(other_looks)),
    )
