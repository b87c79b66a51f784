"""Which ends of a boot have arrived: long ones may be overtaken by others."""

from dataclasses import dataclass, field


@dataclass(eq=False)
class EndsInOrder:
    """Counts the ends that have arrived without a gap, by their numbers from 1."""

    whole: int = 0  # so many, the first ones, have all arrived
    kept: int = 0  # so many are on record
    _ahead: set[int] = field(default_factory=set)

    def note(self, number: int) -> None:
        """Note that an end arrived."""
        self._ahead.add(number)
        while self.whole + 1 in self._ahead:
            self.whole += 1
            self._ahead.discard(self.whole)
