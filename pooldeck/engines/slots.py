"""The account of the agents that an engine is asked for: their numbers, and when to ask again."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

_LASTED: Final = 60.0  # seconds after which an agent counts as one that worked
_PAUSE: Final = 1.0  # seconds before another takes the place of one that did not
_LONGEST: Final = 60.0


class AgentSlot(Struct):
    """One wanted host, and the agent that is to hold it."""

    number: int
    at: float  # seconds of a monotonic clock, from when it may be asked for
    pause: float = 0.0  # before this one
    held_since: float | None = None  # since when it holds a host process
    host: str | None = None
    place: str | None = None  # where the engine runs it, by the engine's own name
    is_missed: bool = False  # it was not seen there lately
    is_asked: bool = False
    asked_at: float = 0.0
    aim: str | None = None  # a place that was free


class Slots:
    """The agents of a pool. Numbers are never used again: an engine knows an agent by its own."""

    def __init__(self, numbers: Sequence[int], following: int) -> None:
        self._slots = {number: AgentSlot(number, 0.0) for number in numbers}
        self._following = following

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all agents that are wanted, or not withdrawn."""
        return tuple(self._slots)

    @property
    def following(self) -> int:
        """The number of the next agent."""
        return self._following

    def get(self, number: int) -> AgentSlot | None:
        """Return an agent's slot; None if it is not wanted any more."""
        return self._slots.get(number)

    def due(self, now: float) -> Iterator[AgentSlot]:
        """Yield the slots whose agents are to be asked for now."""
        yield from (s for s in self._slots.values() if not s.is_asked and s.at <= now)

    @property
    def waiting(self) -> tuple[AgentSlot, ...]:
        """Those that were asked for and have no place yet."""
        slots = self._slots.values()
        return tuple(slot for slot in slots if slot.is_asked and slot.held_since is None)

    def aim(self, number: int, place: str, now: float) -> None:
        """Ask for the next agent instead of one that has no place, and for a place that is free."""
        slot = self._slots.pop(number)
        self._add(now, slot.pause)
        self._slots[self._following - 1].aim = place

    def asked_anew(self) -> None:
        """Take that none is asked for any more: the engine has forgotten them, or may have."""
        for slot in self._slots.values():
            slot.is_asked = False

    def want(self, hosts: int, now: float) -> tuple[int, ...]:
        """Have so many agents; return the numbers of those to withdraw, which have no place yet."""
        while len(self._slots) < hosts:
            self._add(now, 0.0)
        idle = [slot.number for slot in self._slots.values() if slot.held_since is None]
        surplus = len(self._slots) - hosts
        dropped = tuple(idle[::-1][: max(0, surplus)])
        for number in dropped:
            del self._slots[number]
        return dropped

    @property
    def holding(self) -> tuple[AgentSlot, ...]:
        """Those that hold a host process."""
        return tuple(slot for slot in self._slots.values() if slot.held_since is not None)

    def holds(self, number: int, host: str, place: str, now: float) -> None:
        """Take that an agent holds a host process, and where the engine runs it."""
        if (slot := self._slots.get(number)) is not None:
            slot.held_since = now
            slot.host, slot.place = host, place
            slot.is_missed = False

    def left(self, number: int) -> None:
        """Take that an agent's place was taken away; the engine looks for another."""
        if (slot := self._slots.get(number)) is not None:
            slot.held_since = slot.host = slot.place = None

    def ended(self, number: int, wanted: int, now: float) -> None:
        """Take an agent's end: another one follows if that many are wanted, after a pause.

        The pause grows from one that did not last to the next.
        """
        slot = self._slots.pop(number)
        if len(self._slots) >= wanted:
            return
        lasted = slot.held_since is not None and now - slot.held_since >= _LASTED
        pause = 0.0 if lasted else min(_LONGEST, slot.pause * 2 or _PAUSE)
        self._add(now + pause, pause)

    def _add(self, at: float, pause: float) -> None:
        self._slots[self._following] = AgentSlot(self._following, at, pause)
        self._following += 1
