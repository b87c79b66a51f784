"""Asks the provider: bounded in time and size, without redirects and without the proxies of others.

What it answers is hostile until it has been checked: nothing but JSON objects leaves this module.
"""

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from pooldeck_server.domain.logins import LoginFailed, Why

MAX_BYTES: Final = 256 * 1024
SECONDS: Final = 10.0
_OK: Final = 200
_BAD_REQUEST: Final = 400
_LONGEST_SHOWN: Final = 100  # characters of an error's code
_AT_ONCE: Final = 16  # connections


class ProviderHttp:
    """A client for one provider."""

    def __init__(self, ca_file: Path | None, seconds: float = SECONDS) -> None:
        self._ca_file = ca_file
        self._seconds = seconds
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """End its connections."""
        if self._client is not None:
            await self._client.aclose()

    async def get(self, url: str, token: str | None = None) -> dict[str, Any]:
        """Return the object at an address, shown an access token if there is one.

        Raises:
            LoginFailed: If there is none, or it takes too long or is too large.
        """
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self._ask("GET", url, headers=headers)

    async def post(
        self, url: str, form: Mapping[str, str], auth: tuple[str, str] | None
    ) -> dict[str, Any]:
        """Send a form and return the object that is answered; raises as `get`."""
        return await self._ask("POST", url, data=dict(form), auth=auth)

    async def _ask(self, method: str, url: str, **sent: Any) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._seconds):
                client = await self._opened()
                async with client.stream(method, url, **sent) as response:
                    return _object(response, url, await _body(response, url))
        except TimeoutError:
            raise _unreachable(url, f"has not answered within {self._seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise _unreachable(url, f"cannot be asked: {type(error).__name__}: {error}") from None

    async def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            trusted = await asyncio.to_thread(ssl.create_default_context, cafile=self._ca_file)
            self._client = self._client or httpx.AsyncClient(
                verify=trusted,
                trust_env=False,
                follow_redirects=False,
                timeout=self._seconds,
                limits=httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=1),
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            )
        return self._client


async def _body(response: httpx.Response, url: str) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _unreachable(url, "answers compressed, which it was not asked for")
    body = b""
    async for part in response.aiter_raw():
        body += part
        if len(body) > MAX_BYTES:
            raise _unreachable(url, f"answers more than {MAX_BYTES} bytes")
    return body


def _object(response: httpx.Response, url: str, body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        found = None
    if response.status_code != _OK:
        raise _refusal(response.status_code, url, found or {})
    if found is None:
        raise _unreachable(url, "does not answer with a JSON object")
    return found


def _refusal(status: int, url: str, found: Mapping[str, Any]) -> LoginFailed:
    """Return what an answer of another status means; its `error` is a word of RFC 6749."""
    code = found.get("error")
    said = f" and {shown(code)}" if isinstance(code, str) else ""
    why = Why.REFUSED if status == _BAD_REQUEST and code == "invalid_grant" else Why.UNREACHABLE
    return LoginFailed(why, f"{url} answers {status}{said}")


def shown(text: str) -> str:
    """Return a text of somebody else as it may stand in a line of the log."""
    return ascii(text[:_LONGEST_SHOWN])


def _unreachable(url: str, what: str) -> LoginFailed:
    return LoginFailed(Why.UNREACHABLE, f"{url} {what}")
