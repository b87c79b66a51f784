"""The sensitive arguments of the calls that run in a worker, which nothing may repeat.

What is said in a worker with several slots may be of any call that runs there, so that all of their
values are masked in all that is said. Where no call has any, nothing is looked at.
"""

from threading import Lock

from pooldeck.masking import Mask, united


class RunningSecrets:
    """What masks the values of all calls that run now; None where none has any."""

    def __init__(self) -> None:
        self.mask: Mask | None = None
        self._lock = Lock()
        self._masks: list[Mask] = []

    def enter(self, mask: Mask) -> None:
        """Mask the values of a call that starts."""
        with self._lock:
            self._masks.append(mask)
            self.mask = united(self._masks)

    def leave(self, mask: Mask) -> None:
        """Forget those of one that has ended."""
        with self._lock:
            self._masks = [each for each in self._masks if each is not mask]
            self.mask = united(self._masks)
