"""Sends messages to webhooks, and only to addresses that may be called.

The name of a receiver is looked up once, all its addresses are judged, and the connection goes to
one of those, so that a second look-up cannot lead elsewhere. Certificates are checked by the name.
"""

import asyncio
import importlib
import logging
import re
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pooldeck_server.domain.alerts.addresses import is_allowed
from pooldeck_server.domain.alerts.deliveries import MAX_URL, Attempted
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.runtime.threads import in_thread
from pooldeck_server.settings import AlertSettings

if TYPE_CHECKING:
    import httpx

_SECONDS: Final = 15.0  # for a whole try, from the look-up on
_LOOK_UP_SECONDS: Final = 5.0  # when a destination is added
_MOST_OF_ANSWER: Final = 2048  # bytes that are read
_SHOWN_OF_ANSWER: Final = 200  # characters
_MOST_RETRY_AFTER: Final = 86_400.0  # seconds
_GONE: Final = 410
_SHOWN_OF_HOST: Final = 80
_MAX_PORT: Final = 65_535
_HOST: Final = re.compile(rb"[0-9A-Za-z._:-]+")
_USER_AGENT: Final = "Pooldeck"

# It tells of each request with its whole address, which may hold a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)


class RefusedAddressError(Exception):
    """The name is none, or leads to an address that the server does not call."""


class Webhooks:
    """Posts to receivers. `seconds` is how long a try may take."""

    def __init__(self, settings: AlertSettings, seconds: float = _SECONDS) -> None:
        self._settings = settings
        self._seconds = seconds

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        import httpx  # noqa: PLC0415 - most servers need it never

        context = httpx.create_ssl_context(trust_env=False)
        if self._settings.ca_file is not None:
            context.load_verify_locations(self._settings.ca_file)
        return context

    @staticmethod
    async def parse(url: str) -> str:
        """Return the host of an address, as a name or a number.

        Raises:
            InvalidRequest: If it cannot be a webhook's.
        """
        await _load()
        return _target(url)[0]

    async def check(self, url: str) -> None:
        """Refuse an address that cannot be a webhook's, as far as can be told now.

        Raises:
            InvalidRequest: If it is none, or leads to where the server does not call.
        """
        await _load()
        host, port = _target(url)
        try:
            async with asyncio.timeout(_LOOK_UP_SECONDS):
                await self._addresses(host, port)
        except RefusedAddressError as error:
            raise InvalidRequest(f"url: {error}", field="/url") from None
        except (OSError, TimeoutError):
            pass  # nobody knows the name at present: the test of the destination will tell

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Attempted:
        """Try to deliver once; whatever goes wrong is told by the answer."""
        await _load()
        import httpx  # noqa: PLC0415 - most servers need it never

        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(httpx.URL(url), headers, body)
        except RefusedAddressError as error:
            return Attempted(is_delivered=False, words=str(error))
        except TimeoutError:
            return Attempted(is_delivered=False, words=f"no answer within {self._seconds:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            words = str(error) or type(error).__name__
            return Attempted(is_delivered=False, words=f"no connection: {words}")

    async def _post(self, url: "httpx.URL", headers: Mapping[str, str], body: bytes) -> Attempted:
        import httpx  # noqa: PLC0415 - most servers need it never

        host = url.raw_host.decode()
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await self._addresses(host, port)
        async with httpx.AsyncClient(
            verify=self._trust if url.scheme == "https" else False,
            timeout=self._seconds,
            follow_redirects=False,
            trust_env=False,
        ) as client:
            request = client.build_request(
                "POST",
                url.copy_with(host=addresses[0]),
                content=body,
                headers={
                    "host": url.netloc.decode(),
                    "content-type": "application/json",
                    "accept-encoding": "identity",
                    "user-agent": _USER_AGENT,
                    **headers,
                },
                extensions={"sni_hostname": host},
            )
            response = await client.send(request, stream=True)
            try:
                return _attempted(response, await _start_of(response))
            finally:
                await response.aclose()

    async def _addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host.

        Raises:
            RefusedAddressError: If one of them may not be called, or the host's name cannot be one.
            OSError: If it has none.
        """
        try:
            found = await in_thread(
                lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), "alert-look-up"
            )
        except UnicodeError:  # a part of it is empty or too long, says the codec of names
            raise RefusedAddressError(
                f"{host[:_SHOWN_OF_HOST]} is not the name of a host"
            ) from None
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        for address in addresses:
            if not is_allowed(address, self._settings.allowed_networks):
                raise RefusedAddressError(
                    f"{host} leads to {address}, which is not a public address; if it is meant, "
                    "list it in allowed_networks of [alerts]"
                )
        return addresses


async def _load() -> None:
    """Import httpx without holding up the event loop."""
    await in_thread(lambda: importlib.import_module("httpx"), "alert-import")


def _target(url: str) -> tuple[str, int]:
    """Return host and port of a webhook's address.

    Raises:
        InvalidRequest: If it is none.
    """
    import httpx  # noqa: PLC0415 - most servers need it never

    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidRequest(f"url: it is not an address ({error})", field="/url") from None
    if len(url) > MAX_URL:
        raise InvalidRequest(f"url: at most {MAX_URL} characters", field="/url")
    if parsed.scheme not in {"http", "https"} or not _HOST.fullmatch(parsed.raw_host):
        raise InvalidRequest("url: expected https://… or http://…", field="/url")
    if parsed.userinfo or parsed.fragment:
        raise InvalidRequest("url: without a name, a password and a #", field="/url")
    port = (443 if parsed.scheme == "https" else 80) if parsed.port is None else parsed.port
    if not 0 < port <= _MAX_PORT:
        raise InvalidRequest(f"url: expected a port from 1 to {_MAX_PORT}", field="/url")
    return parsed.raw_host.decode(), port


async def _start_of(response: "httpx.Response") -> bytes:
    start = b""
    async for part in response.aiter_raw():
        start += part[: _MOST_OF_ANSWER - len(start)]
        if len(start) >= _MOST_OF_ANSWER:
            break
    return start


def _attempted(response: "httpx.Response", start: bytes) -> Attempted:
    status = response.status_code
    text = " ".join(start.decode(errors="replace").split())[:_SHOWN_OF_ANSWER]
    words = f"{status}: {text}" if text else str(status)
    if response.is_redirect:
        words = f"{status}: a redirect, which is not followed"
    return Attempted(
        is_delivered=response.is_success,
        words=words,
        status=status,
        retry_after=_retry_after(response.headers.get("retry-after")),
        is_gone=status == _GONE,
    )


def _retry_after(header: str | None) -> float | None:
    """Return the seconds that a receiver asks for, by number or by date: a day at most."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return min(float(header.strip()[:9]), _MOST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(header)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        asked = (moment - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError, TypeError):  # whatever the receiver has made up
        return None
    return min(max(0.0, asked), _MOST_RETRY_AFTER)
