"""Named tokens: what programs and people show to be let in. Times are microseconds."""

import hashlib
import re
import secrets
from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct

from pooldeck_server.domain.access import ANYBODY, HOSTS, OWNER, PATTERN, TASKS, Principal, Role
from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.errors import InvalidRequest

MAX_PATTERNS: Final = 50
LONGEST_LIFE: Final = 10 * 366 * 24 * 3600  # seconds
_PREFIX: Final = "pdk_"  # so that scanners of code find one that was left there
_SECRET_BYTES: Final = 32
_TAKEN: Final = frozenset({ANYBODY.name, HOSTS.name, OWNER.name, TASKS.name})
_TIME: Final = re.compile(r"(\d{1,5})([hdwy])")
_SECONDS: Final = {"h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600, "y": 365 * 24 * 3600}

TokenName: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}$",
        description="Of letters, digits and `_.@-`; each once.",
        examples=["ci"],
    ),
]
Pattern: TypeAlias = Annotated[str, Meta(pattern=PATTERN, max_length=200)]
Patterns: TypeAlias = Annotated[tuple[Pattern, ...], Meta(max_length=MAX_PATTERNS)]


class TokenRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which token to make. `expires_in` is in seconds; without it the token does not expire.

    `functions` and `pools` limit it to tasks of these; `*` in them stands for anything. `values`
    lets a viewer see arguments, results and messages, as the other roles do.
    """

    name: TokenName
    role: Role
    expires_in: Annotated[float, Meta(gt=0, le=LONGEST_LIFE)] | None = None
    values: bool = False
    functions: Patterns = ()
    pools: Patterns = ()

    def check(self) -> None:
        """Refuse what would say less than it seems to.

        Raises:
            InvalidRequest: If it is a limited admin, a host that is limited in another way than by
                pools, or its name stands for something else.
        """
        if self.role is Role.ADMIN and (self.functions or self.pools):
            raise InvalidRequest(
                "functions, pools: an admin can make a token without limits; limit an operator or "
                "a viewer"
            )
        if self.role is Role.HOST and (self.functions or self.values):
            raise InvalidRequest(
                "functions, values: a host runs whatever its pools run; limit it by pools"
            )
        if self.name in _TAKEN:
            raise InvalidRequest(f"name: {self.name} is the server's own word for somebody")


class Token(Struct, frozen=True):
    """A named token as it is kept: `key` is a hash of its secret, which is kept nowhere.

    `used_at` is when it was used last, to a minute or so.
    """

    name: str
    key: str
    role: Role
    sees_values: bool
    functions: tuple[str, ...]
    pools: tuple[str, ...]
    created_at: int
    created_by: str
    expires_at: int | None = None
    used_at: int | None = None

    @property
    def principal(self) -> Principal:
        return Principal(
            name=self.name,
            role=self.role,
            values=self.sees_values or self.role.sees_values,
            functions=self.functions,
            pools=self.pools,
        )

    def is_over(self, now: int) -> bool:
        """Tell whether it has expired."""
        return self.expires_at is not None and self.expires_at <= now


def new_secret() -> str:
    """Return a secret of 256 bits that nobody can guess."""
    return _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def key_of(secret: bytes) -> str:
    """Return what is kept of a secret.

    A fast hash is enough: nobody finds 256 random bits by trying. A look into a dictionary by it
    tells by its time at most something of the hash, of which no secret can be made.
    """
    return hashlib.sha256(secret).hexdigest()


def new_token(request: TokenRequest, secret: str, created_by: str, now: int) -> Token:
    """Return the token that a request asks for."""
    request.check()
    ends = None if request.expires_in is None else now + round(request.expires_in * SECOND)
    return Token(
        name=request.name,
        key=key_of(secret.encode()),
        role=request.role,
        sees_values=request.values,
        functions=request.functions,
        pools=request.pools,
        created_at=now,
        created_by=created_by,
        expires_at=ends,
    )


def read_life(text: str) -> float | None:
    """Return the seconds that words such as "90d", "12h" or "1y" mean; None for "never".

    Raises:
        InvalidRequest: If they mean none.
    """
    if text == "never":
        return None
    found = _TIME.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= LONGEST_LIFE:
        raise InvalidRequest(
            f'expires: expected a time such as 12h, 90d, 4w or 1y, or never, not "{text}"'
        )
    return float(seconds)


# What the command line says to the server of the same folder, and what it is told: one JSON each.


class CreateToken(Struct, frozen=True, tag="create"):
    """Make a token."""

    token: TokenRequest


class ListTokens(Struct, frozen=True, tag="list"):
    """Say which there are."""


class RevokeToken(Struct, frozen=True, tag="revoke"):
    """Let one count no more."""

    name: str


class MakeLink(Struct, frozen=True, tag="link"):
    """Make a link that logs in once."""


TokenCommand: TypeAlias = CreateToken | ListTokens | RevokeToken | MakeLink


class TokenAnswer(Struct, frozen=True, omit_defaults=True):
    """What came of it: why not, if it was refused; else the tokens that it was about.

    `secret` is that of a new one, or a link. `is_asked_for` is False where the server lets in who
    has none.
    """

    error: str | None = None
    tokens: tuple[Token, ...] = ()
    secret: str | None = None
    is_asked_for: bool = True
