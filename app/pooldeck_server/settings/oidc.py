"""What `[oidc]` sets: logins by OpenID Connect, and which groups there may do what here."""

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from pooldeck_server.domain.access import PATTERN, Role
from pooldeck_server.domain.logins import ORIGIN, Grant
from pooldeck_server.settings.units import unit

_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+")  # as RFC 6749 has it
_CHOSEN_BY_USERS: Final = {"name", "nickname", "given_name", "family_name", "preferred_username"}
_LONGEST_SECRET: Final = 4096  # bytes of a file
_OPENID: Final = "openid"

_Pattern = Annotated[str, Field(pattern=PATTERN, max_length=200)]
_Patterns = Annotated[tuple[_Pattern, ...], Field(max_length=50)]


class GroupSettings(BaseModel, extra="forbid", frozen=True):
    """One group of the provider; `"*"` stands for everybody whom the provider lets in.

    `GROUP = "viewer"` is short for a table with that `role`. Of several groups of one person that
    with the highest role counts, and of these the first.
    """

    role: Literal["viewer", "operator", "admin"] = Field(description="What its members may do.")
    functions: _Patterns = Field(
        default=(), description="Only tasks of these; `*` in them stands for anything."
    )
    pools: _Patterns = Field(default=(), description="Only tasks in these.")
    values: bool = Field(
        default=False,
        description="Whether a viewer sees arguments, results and messages; the others do.",
    )

    @model_validator(mode="before")
    @classmethod
    def _a_role_is_enough(cls, value: Any) -> Any:
        return {"role": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _an_admin_has_no_limits(self) -> Self:
        if self.role == "admin" and (self.functions or self.pools):
            raise ValueError("an admin cannot be limited; limit an operator or a viewer")
        return self


class OidcSettings(BaseModel, extra="forbid", frozen=True):
    """Logins in a browser by a provider of OpenID Connect; without an issuer there are none.

    Where it is set, nothing is open without a login or a token.
    """

    issuer: str = Field(
        description="The provider's issuer, exactly as its discovery document has it."
    )
    client_id: Annotated[str, Field(min_length=1, max_length=500)] = Field(
        description="What the provider calls this server."
    )
    client_secret: SecretStr | None = Field(
        default=None, description="What this server shows the provider. Default: a public client."
    )
    client_secret_file: Path | None = Field(
        default=None, description="A file that has it, instead; white space around it is left out."
    )
    address: str | None = Field(
        default=None,
        description="This server as browsers reach it, such as `https://deck.example.com`. "
        "Default: as the browser asks for it.",
    )
    scopes: tuple[str, ...] = Field(
        default=(_OPENID, "profile", "email"), description="What it asks the provider for."
    )
    groups_claim: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        default="groups",
        description="The claim that has the groups: of the ID token, or else of userinfo.",
    )
    groups: dict[str, GroupSettings] = Field(
        min_length=1, description="Who may do what; who is in none of them does not come in."
    )
    button: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="The words on the button. Default: Log in with your account."
    )
    only: bool = Field(
        default=False,
        description="Whether the login page takes no tokens; programs still show theirs.",
    )
    session_hours: Annotated[float, Field(gt=0, le=12), unit("hours")] = Field(
        default=8.0,
        description="How long a login lasts, 12 at most; then the groups are looked at anew.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="Certificates that the provider's own is checked by. Default: the system's.",
    )

    @field_validator("issuer", "address")
    @classmethod
    def _is_safe(cls, value: str | None) -> str | None:
        if value is not None and not is_safe_address(value):
            raise ValueError("must be an https address without a query, or http on loopback")
        return value

    @field_validator("address")
    @classmethod
    def _has_no_slash(cls, value: str | None) -> str | None:
        return value and value.removesuffix("/")

    @field_validator("scopes")
    @classmethod
    def _has_openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(_SCOPE.fullmatch, value)):
            raise ValueError("a scope is a word without spaces and quotes")
        return value if _OPENID in value else (_OPENID, *value)

    @field_validator("groups_claim")
    @classmethod
    def _is_not_chosen_by_users(cls, value: str) -> str:
        if value in _CHOSEN_BY_USERS:
            raise ValueError("at many providers users set that themselves; take another claim")
        return value

    @model_validator(mode="after")
    def _has_one_secret(self) -> Self:
        if self.client_secret is not None and self.client_secret_file is not None:
            raise ValueError("set client_secret or client_secret_file, not both")
        if (self.client_secret or self.client_secret_file) and not self.secret():
            raise ValueError("the client's secret is empty")
        return self

    def secret(self) -> str | None:
        """Return the client's secret, None for a public client.

        Raises:
            ValueError: If its file cannot be read.
        """
        if self.client_secret is not None:
            return self.client_secret.get_secret_value().strip()
        if self.client_secret_file is None:
            return None
        try:
            with self.client_secret_file.open(encoding="ascii") as file:
                return file.read(_LONGEST_SECRET).strip()
        except (OSError, UnicodeError) as error:
            raise ValueError(f"client_secret_file cannot be read: {error}") from None

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Who may do what, in the order of the file."""
        return tuple(
            Grant(
                group=name,
                role=Role(each.role),
                values=each.values or each.role != "viewer",
                functions=each.functions,
                pools=each.pools,
            )
            for name, each in self.groups.items()
        )

    @property
    def origin(self) -> str:
        """What sessions are begun with, instead of a token: another where any of this is."""
        said = self.model_dump_json(
            include={"issuer", "client_id", "groups_claim", "groups", "scopes"}
        )
        return ORIGIN + hashlib.sha256(said.encode()).hexdigest()[:32]


def is_safe_address(text: str) -> bool:
    """Tell whether what goes to an address is read by nobody on the way: https, or loopback."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.query or parts.fragment or "@" in parts.netloc or not text.isascii():
        return False
    if not text.isprintable() or " " in text:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
