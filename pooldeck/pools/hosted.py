"""What can be done with a pool whose workers are on hosts."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class HostedPool(Protocol):
    """What a pool can do beside `PoolPort` whose workers are on hosts."""

    def host_of(self, worker: str) -> str | None:
        """Return the name of the host that a worker is on, or was; None if it is not known."""

    def drain_host(self, name: str) -> bool:
        """Hand a host nothing new, and let it go when nothing runs there any more.

        Returns:
            Whether there is such a host. If not, nothing was done.
        """

    def end_host(self, name: str, why: str) -> bool:
        """End a host at once; what runs there is cut off, and reported as finished by that.

        Args:
            name: The host.
            why: What it is told, for its own log.

        Returns:
            Whether there is such a host. If not, nothing was done.
        """
