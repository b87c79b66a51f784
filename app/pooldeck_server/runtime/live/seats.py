"""The seats of a pool's workers: who took whose, so that a replaced worker stands where it stood.

Its own are the numbers; health has it refreshed whenever something about the workers has changed.
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
    """The seats of one pool."""

    def __init__(self) -> None:
        self.restarts = 0  # how many workers have been replaced
        self._seats: list[Seat] = []

    def refresh(self, present: Sequence[str], wanted: int) -> None:
        """Free the seats of workers that are gone, and give them to those that are new.

        Seats over the number that is `wanted` go when they are free.
        """
        here = set(present)
        for seat in self._seats:
            seat.is_free = seat.worker not in here
        while len(self._seats) > wanted and any(seat.is_free for seat in self._seats):
            self._seats.remove(next(one for one in reversed(self._seats) if one.is_free))
        seated = {seat.worker for seat in self._seats}
        for worker in present:
            if worker not in seated:
                self._seat(worker)

    def _seat(self, worker: str) -> None:
        seat = next((seat for seat in self._seats if seat.is_free), None)
        if seat is None:
            self._seats.append(Seat(worker))
            return
        seat.worker, seat.replaced, seat.is_free = worker, seat.worker, False
        seat.restarts += 1
        self.restarts += 1

    def numbered(self) -> Mapping[str, tuple[int, Seat]]:
        return {seat.worker: (number, seat) for number, seat in enumerate(self._seats)}
