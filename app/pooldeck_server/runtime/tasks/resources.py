"""What tasks of one pool need of its machines: who has it, who holds it, and who waits for it.

A task that needs something holds it on one machine from its claim to its end. What no machine has
free is waited for apart, so that others go on; who needs the same, or some of it, does so in the
order of the queue, whatever else there is to run. Nothing is noted at an end: what is held is
looked through whenever somebody asks, and what nobody has in hand any more is free. So a task
without needs costs nothing here.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.tasks.needs import Amounts, has_all
from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.runtime.tasks.machines import Machines
from pooldeck_server.runtime.tasks.parked import Order, Parked

_AT_ONCE: Final = 50  # tasks that are brought back in one go: each may carry a mebibyte


class _Share(Struct, frozen=True):
    """What a task holds, and where."""

    machine: str
    needs: Amounts


@dataclass(eq=False)
class _Picture:
    """What there is at one moment, and what is left of it while it is being given away."""

    has: Mapping[str, Amounts]
    slots: Counter[str] | None  # free ones that nobody is about to get; None: of one machine
    waited_for: list[tuple[Order, Amounts]]  # what those need that wait, by who goes first
    used: dict[str, dict[str, float]] = field(default_factory=dict)  # by machine

    def take(self, share: _Share, *, needs_slot: bool) -> None:
        used = self.used.setdefault(share.machine, {})
        for name, amount in share.needs.items():
            used[name] = used.get(name, 0.0) + amount
        if needs_slot and self.slots is not None:
            self.slots[share.machine] -= 1

    def machine_for(
        self, needs: Amounts, order: Order, among: Collection[str | None] | None = None
    ) -> str | None:
        """Return the machine with most free slots that has it free for a task of this order."""
        able = [
            name
            for name in self.has
            if (among is None or name in among) and self._is_free_on(name, needs, order)
        ]
        slots = self.slots
        if slots is None:
            return able[0] if able else None
        return max((name for name in able if slots[name] > 0), key=slots.__getitem__, default=None)

    def _is_free_on(self, machine: str, needs: Amounts, order: Order) -> bool:
        has, used = self.has[machine], self.used.get(machine, {})
        left = {name: has.get(name, 0.0) - used.get(name, 0.0) for name in needs}
        return has_all(left, needs) and not any(
            first < order and not needs.keys().isdisjoint(others) and has_all(has, others)
            for first, others in self.waited_for
        )


@dataclass(kw_only=True, eq=False)
class Resources:
    """Of one pool."""

    machines: Machines
    free_by_worker: Callable[[], Mapping[str, int]]
    in_hand: Callable[[], Collection[int]]  # gives the numbers of what is claimed or with a worker
    running: Callable[[], Collection[int]]  # gives those with a worker
    parked: Parked = field(init=False, default_factory=Parked)
    _shares: dict[int, _Share] = field(init=False, default_factory=dict)  # by number
    _coming: set[int] = field(init=False, default_factory=set)  # parked, and being read anew
    _has: Mapping[str, Amounts] | None = field(init=False, default=None)
    _giving: _Picture | None = field(init=False, default=None)  # of what is chosen just now

    @property
    def has(self) -> Mapping[str, Amounts]:
        """What each machine has, by its name."""
        if self._has is None:
            self._has = self.machines.has()
        return self._has

    def look_again(self) -> bool:
        """Ask anew what the machines have; return whether that is something else than before."""
        before, self._has = self._has, None
        return before is not None and before != self.has

    def begin_choice(self) -> None:
        """Note that what was granted until now is claimed, or was not taken."""
        self._giving = None

    def lets(self, needs: Amounts) -> bool:
        """Tell whether any machine has that much at all; also where there are none yet."""
        return not self.has or any(has_all(each, needs) for each in self.has.values())

    def grant(
        self, task: QueuedTask, needs: Amounts, workers: Collection[str] | None
    ) -> str | None:
        """Let a task that is about to be claimed hold what it needs, or wait for it apart.

        Args:
            task: The task.
            needs: What it needs.
            workers: Those that can run it; None: all.

        Returns:
            The machine that it is to run on; None if it waits.
        """
        if self._giving is None:
            self._giving = self._picture()
        picture = self._giving
        among = None if workers is None else {self.machines.of(worker) for worker in workers}
        machine = picture.machine_for(needs, task.order, among)
        if machine is None:
            self.parked.add(task, needs)
            picture.waited_for.append((task.order, needs))
            return None
        self._hold(picture, task, _Share(machine, needs))
        return machine

    def _hold(self, picture: _Picture, task: QueuedTask, share: _Share) -> None:
        self._shares[task.seq] = share
        picture.take(share, needs_slot=True)

    def machine_of(self, task: QueuedTask, needs: Amounts) -> str | None:
        """Return where a claimed task is to run; None if there is no place for it now."""
        share = self._shares.get(task.seq)
        if share is not None and share.machine in self.has:
            return share.machine
        self._shares.pop(task.seq, None)
        picture = self._picture()
        machine = picture.machine_for(needs, task.order)
        if machine is not None:
            self._hold(picture, task, _Share(machine, needs))
        return machine

    def workers_on(self, machine: str, workers: Collection[str] | None) -> Collection[str] | None:
        """Return which of some workers are on a machine, of all those with a free slot; None: all.

        Args:
            machine: Its name.
            workers: Those to choose from; None: all of the pool.
        """
        if not self.machines.are_several:
            return workers
        there = self.free_by_worker() if workers is None else workers
        return frozenset(worker for worker in there if self.machines.of(worker) == machine)

    def due(self) -> list[int]:
        """Return the tasks to be read anew, since what they need is free; the first ones first.

        They go on waiting here until they are there, so that nobody overtakes them.
        """
        picture = self._picture(with_waiting=False)
        found: list[int] = []
        heads = [(line.first, n, 0, line) for n, line in enumerate(self.parked)]
        heapq.heapify(heads)
        while heads and len(found) < _AT_ONCE:
            order, n, place, line = heapq.heappop(heads)
            machine = picture.machine_for(line.needs, order)
            if machine is None:
                picture.waited_for.append((order, line.needs))
                continue
            picture.take(_Share(machine, line.needs), needs_slot=True)
            if order[1] not in self._coming:
                found.append(order[1])
            if place + 1 < len(line.orders):
                heapq.heappush(heads, (line.orders[place + 1], n, place + 1, line))
        self._coming.update(found)
        return found

    def came(self, seqs: Collection[int]) -> None:
        """Note that tasks have been read anew, or are not there any more."""
        for seq in seqs:
            self._coming.discard(seq)
            self.parked.discard(seq)

    def _picture(self, *, with_waiting: bool = True) -> _Picture:
        there = self.in_hand()
        self._shares = {seq: share for seq, share in self._shares.items() if seq in there}
        waiting = [(line.first, line.needs) for line in self.parked] if with_waiting else []
        picture = _Picture(self.has, self._slots(), waiting)
        running = self.running()
        for seq, share in self._shares.items():
            picture.take(share, needs_slot=seq not in running)
        return picture

    def _slots(self) -> Counter[str] | None:
        if not self.machines.are_several:
            return None
        slots: Counter[str] = Counter()
        for worker, free in self.free_by_worker().items():
            if (machine := self.machines.of(worker)) is not None:
                slots[machine] += free
        return slots
