"""What a provider says of itself: where to go for what, checked and kept for a while."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.logins import LoginFailed, Why
from pooldeck_server.runtime.access.oidc.http import ProviderHttp, shown
from pooldeck_server.settings.oidc import is_safe_address

KEPT_SECONDS: Final = 3600.0
FAILED_SECONDS: Final = 5.0  # for so long what failed is not tried again
_PATH: Final = "/.well-known/openid-configuration"


class Metadata(Struct, frozen=True):
    """The addresses of one provider, and what it does."""

    authorization: str
    token: str
    keys: str
    userinfo: str | None
    says_issuer: bool  # in its callbacks, as RFC 9207 has it
    takes_basic: bool  # the client's secret by HTTP Basic


class Discovery:
    """Asks one provider for its metadata when they are needed, and not again and again."""

    def __init__(self, issuer: str, http: ProviderHttp, clock: Clock) -> None:
        self._issuer = issuer
        self._http = http
        self._clock = clock
        self._lock = asyncio.Lock()
        self._found: Metadata | LoginFailed | None = None
        self._ends_at = 0.0

    async def metadata(self) -> Metadata:
        """Return what the provider says.

        Raises:
            LoginFailed: If it cannot be asked, or says what cannot be.
        """
        async with self._lock:
            if self._found is None or self._clock.monotonic() >= self._ends_at:
                self._found = await self._asked()
                is_good = isinstance(self._found, Metadata)
                kept = KEPT_SECONDS if is_good else FAILED_SECONDS
                self._ends_at = self._clock.monotonic() + kept
            if isinstance(self._found, LoginFailed):
                raise LoginFailed(self._found.why, self._found.detail)
            return self._found

    async def _asked(self) -> Metadata | LoginFailed:
        try:
            said = await self._http.get(self._issuer.removesuffix("/") + _PATH)
            return read_metadata(said, self._issuer)
        except LoginFailed as failed:
            return failed


def read_metadata(said: Mapping[str, Any], issuer: str) -> Metadata:
    """Return what a discovery document says.

    Raises:
        LoginFailed: If it is of another issuer, or an address in it is missing or not safe.
    """
    if said.get("issuer") != issuer:
        raise LoginFailed(
            Why.UNREACHABLE,
            f"the provider calls itself {shown(str(said.get('issuer')))}, and oidc.issuer is "
            f"{shown(issuer)}",
        )
    methods = said.get("token_endpoint_auth_methods_supported")
    return Metadata(
        authorization=_address(said, "authorization_endpoint"),
        token=_address(said, "token_endpoint"),
        keys=_address(said, "jwks_uri"),
        userinfo=_address(said, "userinfo_endpoint") if "userinfo_endpoint" in said else None,
        says_issuer=said.get("authorization_response_iss_parameter_supported") is True,
        takes_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
    )


def _address(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not is_safe_address(value.partition("?")[0]):
        raise LoginFailed(Why.UNREACHABLE, f"the provider has no safe address for its {name}")
    if "#" in value or not value.isascii() or not value.isprintable():
        raise LoginFailed(Why.UNREACHABLE, f"the provider has no safe address for its {name}")
    return value
