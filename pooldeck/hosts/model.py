"""On which terms hosts are part of a server, and that one is not."""

from msgspec import Struct

from pooldeck.hosts.lease import RATE_BOUND


class HostRefused(Exception):  # noqa: N818 - it is no error of the server's
    """A host is not taken, for the reason that the text says in a sentence.

    Args:
        why: The sentence.
        is_final: Whether the host is not to try again.
    """

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final


class HostTerms(Struct, frozen=True):
    """On which terms hosts are part of a server. Times are in seconds."""

    deck: str  # which server
    term: int  # which run of it
    lease: float = 15.0
    renew: float = 1.0  # between two requests
    margin: float = 5.0  # for a host to end what runs
    rate_bound: float = RATE_BOUND
