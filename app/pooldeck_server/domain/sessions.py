"""Sessions: what a browser has from its login to its logout. Times are microseconds."""

from msgspec import Struct

from pooldeck_server.domain.access import Principal


class Session(Struct, frozen=True):
    """A login that counts, as it is kept.

    What the browser shows is not kept: `key` can be made of it, and it cannot be made of `key`. It
    ends with the named token that it was begun with, if it was; `principal` is whose it is.
    """

    key: str
    began_at: int
    ends_at: int
    principal: Principal
    token: str | None = None
