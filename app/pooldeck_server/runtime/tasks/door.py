"""The door of the server: whether anything is taken in at this moment."""

from collections.abc import Callable
from dataclasses import dataclass

from pooldeck_server.domain.errors import Draining
from pooldeck_server.runtime.tasks.server_drain import ServerDrain
from pooldeck_server.store.standing import Standing


@dataclass(kw_only=True, eq=False)
class Door:
    """Shut once the server was told to end, while it is drained, and while its files are gone."""

    is_closing: Callable[[], bool]  # tells whether the server was told to end
    drain: ServerDrain
    standing: Standing

    @property
    def is_open(self) -> bool:
        """Tell whether what comes now is kept."""
        is_shut = self.is_closing() or self.drain.is_on
        return not is_shut and self.standing.displacement is None

    def check(self) -> None:
        """Refuse what would be lost.

        Raises:
            Draining: If the server was told to end, or is drained.
            StorageUnavailable: If its files are gone.
        """
        if self.is_closing():
            raise Draining(
                "the server is shutting down; submit again when it is back", retry_after=5
            )
        self.drain.check()
        self.standing.refuse()
