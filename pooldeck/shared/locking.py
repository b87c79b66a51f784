"""The locks and semaphores that functions use."""

from types import TracebackType
from typing import Self

from pooldeck.shared import leases
from pooldeck.shared.backend import backend, holder
from pooldeck.shared.proxies import Handle


class Permits(Handle):
    """What locks and semaphores have in common.

    `with` raises a `TimeoutError` where the permit does not come in time.

    Args:
        name: Its name among those of its kind.
        timeout: How long `with` waits, in seconds; None for as long as it takes.
    """

    def __init__(self, name: str, timeout: float | None = None) -> None:
        super().__init__(name)
        self._timeout = timeout

    def acquire(self, timeout: float | None = None) -> bool:
        """Take a permit; who asks first gets it first.

        It belongs to the thread that takes it, and is taken back when that thread, its task or its
        worker ends, however it ends.

        Args:
            timeout: How long to wait, in seconds; None for as long as it takes.

        Returns:
            Whether it came in time.

        Raises:
            NotHeldError: If this thread holds the only permit already.
        """
        asked = (self.kind, self.name, self._settings, holder(), timeout)
        got: bool = backend().ask("acquire", *asked)
        if got:
            leases.note(self)
        return got

    def release(self) -> None:
        """Give a permit back.

        Raises:
            NotHeldError: If this thread holds none.
        """
        leases.drop(self)
        self._do("release")

    def __enter__(self) -> Self:
        if not self.acquire(self._timeout):
            raise TimeoutError(f"{self!r} was not free within {self._timeout:g} seconds")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> None:
        self.release()


class Lock(Permits):
    """A lock that one thread of all workers holds at a time."""

    kind = "lock"


class Semaphore(Permits):
    """So many permits, shared by all workers.

    Args:
        name: Its name.
        permits: How many; who says it last has the last word.
        timeout: How long `with` waits, in seconds; None for as long as it takes.

    Raises:
        ValueError: If there are none.
    """

    kind = "semaphore"

    def __init__(self, name: str, permits: int, timeout: float | None = None) -> None:
        if permits < 1:
            raise ValueError(f"a semaphore has at least one permit, not {permits}")
        super().__init__(name, timeout)
        self._settings = {"permits": permits}
