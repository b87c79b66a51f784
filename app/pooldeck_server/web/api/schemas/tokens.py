"""Named tokens, as the API shows them."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from pooldeck_server.domain import tokens
from pooldeck_server.domain.access import Role
from pooldeck_server.web.api.schemas.types import Timestamp, optional_timestamp, timestamp


class TokenInfo(Struct, frozen=True):
    """A named token; its secret is not kept.

    `values` is whether arguments, results and messages are shown to it, `functions` and `pools` the
    patterns that limit it. `used_at` is when it was used last, to a minute; null: never.
    """

    name: str
    role: Role
    values: bool
    functions: tuple[str, ...]
    pools: tuple[str, ...]
    created_at: Timestamp
    created_by: str
    expires_at: Timestamp | None
    used_at: Timestamp | None

    @classmethod
    def of(cls, token: tokens.Token) -> Self:
        principal = token.principal
        return cls(
            name=token.name,
            role=token.role,
            values=principal.values,
            functions=token.functions,
            pools=token.pools,
            created_at=timestamp(token.created_at),
            created_by=token.created_by,
            expires_at=optional_timestamp(token.expires_at),
            used_at=optional_timestamp(token.used_at),
        )


class NewToken(Struct, frozen=True):
    """A token that was made; `secret` is what to send as Bearer TOKEN, and is shown only here."""

    token: TokenInfo
    secret: Annotated[str, Meta(examples=["pdk_5hQ0v…"])]


class TokenList(Struct, frozen=True):
    """All named tokens, by name; those that have expired stand there until they are revoked.

    `is_asked_for` is false where the server lets in who has none: see the setting `access`.
    """

    items: list[TokenInfo]
    is_asked_for: bool
