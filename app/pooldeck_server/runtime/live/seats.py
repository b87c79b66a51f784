"""The places of a pool's workers: who took whose, so that a replaced worker stands where it stood.

Health has it look whenever something about the workers has changed.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct


class Seat(Struct):
    """Room for one worker. `worker` is the one that has it, or had it last."""

    worker: str
    restarts: int = 0
    replaced: str | None = None
    is_free: bool = False


class Seats:
    """The places of one pool.

    Attributes:
        restarts: How many workers have been replaced.
    """

    def __init__(self) -> None:
        self.restarts = 0
        self._places: list[Seat] = []

    def refresh(self, present: Sequence[str], wanted: int) -> None:
        """Free the places of workers that are gone, and give them to those that are new.

        Args:
            present: The workers that have slots.
            wanted: How many places there are to be; further ones go when they are free.
        """
        here = set(present)
        for place in self._places:
            place.is_free = place.worker not in here
        while len(self._places) > wanted and any(place.is_free for place in self._places):
            self._places.remove(next(one for one in reversed(self._places) if one.is_free))
        seated = {place.worker for place in self._places}
        for worker in present:
            if worker not in seated:
                self._seat(worker)

    def _seat(self, worker: str) -> None:
        place = next((place for place in self._places if place.is_free), None)
        if place is None:
            self._places.append(Seat(worker))
            return
        place.worker, place.replaced, place.is_free = worker, place.worker, False
        place.restarts += 1
        self.restarts += 1

    def numbered(self) -> Mapping[str, tuple[int, Seat]]:
        """Return the number and the place of each worker that has one."""
        return {place.worker: (number, place) for number, place in enumerate(self._places)}
