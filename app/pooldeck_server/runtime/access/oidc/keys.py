"""The provider's public keys: kept for a while, and asked for again where one is not known.

Which key counts is decided here, by its id, and never by what a token brings along.
"""

import asyncio
import logging
import warnings
from collections.abc import Mapping
from typing import Any, Final

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.logins import LoginFailed, Why
from pooldeck_server.runtime.access.oidc.http import ProviderHttp, shown

KEPT_SECONDS: Final = 3600.0
ANEW_SECONDS: Final = 30.0  # between two questions for a key that is not known
_LEAST_RSA_BITS: Final = 2048
_MOST: Final = 100  # keys of one provider
_CURVES: Final = {"P-256", "Ed25519"}
_log = logging.getLogger(__name__)


class ProviderKeys:
    """Those of one provider."""

    def __init__(self, http: ProviderHttp, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._lock = asyncio.Lock()
        self._url = ""
        self._keys: Mapping[str | None, Key] = {}
        self._fetched_at: float | None = None
        self._anew_at: float | None = None

    async def find(self, url: str, kid: str | None) -> Key:
        """Return the key of an id; without an id, the only one that there is.

        Args:
            url: Where the provider has its keys.
            kid: The key's id.

        Raises:
            LoginFailed: If there is none, also after the provider was asked again, which happens
                once in `ANEW_SECONDS`; or it cannot be asked.
        """
        async with self._lock:
            if url != self._url or self._is_old():
                await self._fetch(url)
            found = self._of(kid)
            if found is None and self._may_ask_anew():
                self._anew_at = self._clock.monotonic()
                await self._fetch(url)
                found = self._of(kid)
        if found is None:
            name = "one key without an id" if kid is None else f"a key {shown(kid)}"
            raise LoginFailed(Why.NOT_VALID, f"the provider has not {name} for its ID token")
        return found

    def _of(self, kid: str | None) -> Key | None:
        if kid is not None:
            return self._keys.get(kid)
        return next(iter(self._keys.values())) if len(self._keys) == 1 else None

    def _is_old(self) -> bool:
        at = self._fetched_at
        return at is None or self._clock.monotonic() - at > KEPT_SECONDS

    def _may_ask_anew(self) -> bool:
        at = self._anew_at
        return at is None or self._clock.monotonic() - at > ANEW_SECONDS

    async def _fetch(self, url: str) -> None:
        found = (await self._http.get(url)).get("keys")
        if not isinstance(found, list):
            raise LoginFailed(Why.UNREACHABLE, f"{url} has no list of keys")
        keys = [key for each in found[:_MOST] if (key := _usable(each)) is not None]
        self._url, self._keys = url, {key.kid: key for key in keys}
        self._fetched_at = self._clock.monotonic()


def _usable(said: Any) -> Key | None:
    """Return a key that ID tokens may be signed with; None for all others, also broken ones."""
    if not isinstance(said, dict) or said.get("use", "sig") != "sig":
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # weak ones are passed over below
            key = import_key(said)
            is_strong = _is_strong(key)
    except (JoseError, ValueError, TypeError, KeyError, OverflowError) as error:
        _log.warning("a key of the provider cannot be read: %s", type(error).__name__)
        return None
    return key if is_strong else None


def _is_strong(key: Key) -> bool:
    if key.is_private:
        return False
    if isinstance(key, RSAKey):
        return key.public_key.key_size >= _LEAST_RSA_BITS
    return isinstance(key, ECKey | OKPKey) and key.get("crv") in _CURVES
