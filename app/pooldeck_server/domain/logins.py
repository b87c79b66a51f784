"""Logins by another's word: whom a provider has named, and what he may do here for it."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.access import Principal, Role

EVERYBODY: Final = "*"
"""The group that everybody is in whom the provider lets in."""

ORIGIN: Final = "oidc:"
"""How the names begin of what such sessions are begun with; no token has such a name."""

LINK: Final = "link:"
"""What stands in the place of such a name where a session was begun with a link that counts once;
no token has this name either."""

OF_RUN: Final = "run:"
"""The same where it was begun with a token of a run of the server, and so ends with that."""

ATTEMPT_SECONDS: Final = 600
"""How long a login may take, from its beginning here to the way back from the provider."""

_LONGEST_NAME: Final = 64  # characters
PROVIDED: Final = "#"
"""What is in names of people whom a provider knows, and in no name of a token."""

_DIGITS: Final = 12  # of the hash in a name: 48 bits
_ORDER: Final = tuple(Role)


class Grant(Struct, frozen=True, kw_only=True):
    """What the members of one group of the provider may do."""

    group: str
    role: Role
    values: bool
    functions: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()


class Person(Struct, frozen=True, kw_only=True):
    """Somebody as a provider has named him: `subject` is its own word for him, and stays."""

    issuer: str
    subject: str
    shown: str  # for people; may change, and may be another's tomorrow
    groups: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What he is called here.

        The part behind the `#`, which no name of a token has, tells him from others who are shown
        by the same name.
        """
        said = f"{self.issuer}\n{self.subject}".encode()
        return f"{self.label}{PROVIDED}{hashlib.sha256(said).hexdigest()[:_DIGITS]}"

    @property
    def label(self) -> str:
        """What he is called where only he reads it."""
        printable = "".join(each for each in self.shown if each.isprintable() and each != "#")
        return printable.strip()[:_LONGEST_NAME] or "somebody"


def principal_for(identity: Person, grants: Sequence[Grant]) -> Principal | None:
    """Return who comes in for an identity; None if none of its groups has a role here.

    Of several groups that with the highest role counts, and of these the first.
    """
    groups = {*identity.groups, EVERYBODY}
    found = [grant for grant in grants if grant.group in groups]
    if not found:
        return None
    best = max(found, key=lambda grant: _ORDER.index(grant.role))
    return Principal(
        name=identity.name,
        role=best.role,
        values=best.values,
        functions=best.functions,
        pools=best.pools,
    )


class Why(StrEnum):
    """Why a login came to nothing."""

    NOT_BEGUN = "not_begun"  # here, by this browser, within the last minutes; or it was used
    REFUSED = "refused"  # by the provider
    UNREACHABLE = "unreachable"  # the provider, or it answers with errors or nonsense
    NOT_VALID = "not_valid"  # what the provider has said of who it is
    CLOCK = "clock"  # it is not valid at this time
    NO_ROLE = "no_role"
    BUSY = "busy"


class LoginFailed(Exception):  # noqa: N818  (a condition as the caller sees it)
    """A login came to nothing; `detail` is for the log, and has no secrets.

    `identity` is who it was, where that is known.
    """

    def __init__(self, why: Why, detail: str, identity: Person | None = None) -> None:
        super().__init__(detail)
        self.why = why
        self.detail = detail
        self.identity = identity
