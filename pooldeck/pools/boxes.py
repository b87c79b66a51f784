"""The black boxes of a pool's workers, as the pool keeps and reads them.

What stands in a box is needed until it is on record, which whoever has the pool says. A box that
should be there and is not tells nothing, and would not be missed: so a list says which there are.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from msgspec import Struct

from pooldeck.black_box import Box, DamagedError, Manifest, read

_log = logging.getLogger(__name__)
SUFFIX: Final = ".box"


class EndsSeen(Struct, frozen=True):
    """How many ends had come from each worker by a moment, and which workers were gone."""

    numbers: Mapping[str, int]
    gone: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.numbers or self.gone)


@dataclass(eq=False)
class Boxes:
    """The boxes of a pool in a folder, all of the run that has the mark."""

    folder: Path
    mark: bytes
    _seen: dict[str, int] = field(init=False, default_factory=dict)
    _committed: dict[str, int] = field(init=False, default_factory=dict)
    _gone: set[str] = field(init=False, default_factory=set)

    def path(self, worker: str) -> Path:
        return self.folder / f"{worker}{SUFFIX}"

    def ready(self, worker: str) -> None:
        """Note that a worker is about to get calls, and so must have a box."""
        self._seen[worker] = 0
        self._list.ready(worker)

    def note_end(self, worker: str) -> None:
        """Note that the end of a call came from a worker."""
        if worker in self._seen:
            self._seen[worker] += 1

    def ends_of(self, worker: str) -> int:
        """Return how many ends have come from a worker; 0 if it has no box."""
        return self._seen.get(worker, 0)

    def read(self, worker: str) -> Box | None:
        """Return what a worker that is gone has left; None if that tells nothing."""
        if worker not in self._seen:
            return None
        self._gone.add(worker)
        try:
            return read(self.path(worker), worker, self.mark)
        except DamagedError as error:
            _log.warning("the black box of worker %s is of no use: %s", worker, error)
            return None

    def ends(self) -> EndsSeen:
        """Return what has come since it was committed last."""
        known = self._committed
        return EndsSeen(
            {each: n for each, n in self._seen.items() if n != known.get(each, 0)},
            frozenset(self._gone),
        )

    def commit(self, ends: EndsSeen) -> Iterator[tuple[str, int]]:
        """Forget what is on record; yield the workers that are to do so, and how many of theirs."""
        for worker in ends.gone:
            self._remove(worker)
        for worker, number in ends.numbers.items():
            if worker in self._seen:
                self._committed[worker] = number
                yield worker, number

    def _remove(self, worker: str) -> None:
        self._gone.discard(worker)
        self._seen.pop(worker, None)
        self._committed.pop(worker, None)
        with suppress(OSError):
            self.path(worker).unlink()
            self._list.gone(worker)

    @property
    def _list(self) -> Manifest:
        return Manifest(self.folder)
