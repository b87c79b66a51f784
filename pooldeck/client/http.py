"""Requests to a server: sent again through restarts and crowds, errors as exceptions.

A request is repeated while no server answers, or one that says "later" (503, 429 of a full queue),
with growing pauses or those of `Retry-After`, until its time is over. After a connection broke in
the middle, only what does nothing when it comes twice is repeated: what only reads, or has a key.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import msgspec

from pooldeck.client.errors import NotReachable, Refused, refusal
from pooldeck.client.places import API, Place, without_tls

PATIENCE: Final = 120.0
"""For how many seconds a request is tried again, once a server has answered."""

FIRST_PATIENCE: Final = 5.0
"""For how many seconds one is, as long as none ever has: the address may be wrong."""

SIGN_OF_LIFE: Final = 30.0
"""A stream that says nothing for so many seconds is dead: a live one does so every ten."""

KEY: Final = "Idempotency-Key"
QUEUE_FULL: Final = "queue_full"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0  # seconds
_UNAUTHORIZED: Final = 401
_TOO_MANY: Final = 429
_FOR_GOOD: Final = frozenset({"function_on_hold"})  # until somebody releases it
_REPEATABLE: Final = frozenset({"GET", "PUT", "DELETE"})
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout)
_LATER: Final = frozenset({502, 503, 504})
_CONNECTIONS: Final = 16  # that are kept
_ANSWER_SECONDS: Final = 60.0  # that the server may take for an answer

_decode = msgspec.json.Decoder().decode


class Pauses:
    """Growing pauses within a time that ends."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._next = _FIRST_PAUSE

    async def wait(self, wanted: float | None = None) -> bool:
        """Wait for a while; return False at once if the time would be over then."""
        seconds = self._next * random.uniform(0.7, 1.3)  # noqa: S311 - so that not all come at once
        if wanted is not None:
            seconds = max(seconds, wanted)
        self._next = min(2 * self._next, _LONGEST_PAUSE)
        left = self._until - time.monotonic()
        if left <= 0:
            return False
        await asyncio.sleep(min(seconds, left))
        return True


class HttpApi:
    """The API of one server, over a few connections that are kept.

    Args:
        find: Says where the server is and by which token; asked again where the token is refused.
        patience: For how many seconds a request is tried; None: `PATIENCE`, and `FIRST_PATIENCE`
            as long as no server has answered.
    """

    def __init__(self, find: Callable[[], Place], patience: float | None) -> None:
        self._find = find
        self._patience = patience
        self._place = find()
        self._has_answered = False
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=10.0, pool=None),
            limits=httpx.Limits(max_keepalive_connections=_CONNECTIONS),
            trust_env=False,
            verify=self._place.url.startswith("https:"),  # certificates take a while to load
        )

    @property
    def url(self) -> str:
        """Return the address of the server."""
        return self._place.url

    @property
    def patience(self) -> float:
        """Return for how many seconds a request is tried by now."""
        if self._patience is not None:
            return self._patience
        return PATIENCE if self._has_answered else FIRST_PATIENCE

    def _patience_for(self, wanted: float | None) -> float:
        """Return for how many seconds a request is tried that wants so many itself."""
        return self.patience if wanted is None or self._patience is not None else wanted

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def json(  # noqa: PLR0917 - they are those of a `Question`
        self,
        method: str,
        path: str,
        body: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> Any:
        """Send a request with a body of JSON; return the answer, decoded. Raises as `send`."""
        content = None if body is None else msgspec.json.encode(body)
        answer = await self.send(method, path, content, headers, params=params, patience=patience)
        return decoded(answer)

    async def send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        waits_for_room: bool = True,
        patience: float | None = None,
    ) -> httpx.Response:
        """Send a request until it is answered for good; return the answer.

        Args:
            method: The HTTP method.
            path: Below `/api/v1`.
            content: The body, JSON.
            headers: Beside those that each request has.
            params: Of the query.
            waits_for_room: Whether it is sent again while the queue of a pool is full.
            patience: For how many seconds it is tried, unless the client itself was told.

        Raises:
            Refused: If the server refuses it.
            NotReachable: If no server answers.
        """
        pauses = Pauses(self._patience_for(patience))
        while True:
            place = self._place
            try:
                answer = await self._http.request(
                    method,
                    _url(place, path),
                    content=content,
                    headers=_headers(place, headers),
                    params=params or None,
                )
            except httpx.TransportError as error:
                is_unsent = isinstance(error, _UNSENT)
                may_repeat = is_unsent or method in _REPEATABLE or KEY in (headers or {})
                if not may_repeat or not await pauses.wait():
                    raise self.not_reachable(error) from error
                continue
            except httpx.HTTPError as error:  # an answer that is no HTTP is none of a server
                raise self.not_reachable(error) from error
            self._has_answered = True
            if answer.is_success:
                return answer
            if not self._has_moved(answer, place):
                await _pause_or_raise(answer, pauses, waits_for_room=waits_for_room)

    @asynccontextmanager
    async def stream(self, path: str, body: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send a request once; give the answer piece by piece, as long as it comes.

        Raises:
            Refused: If the server refuses it.
            httpx.TransportError: If the connection breaks, or nothing comes for too long.
        """
        place = self._place
        async with self._http.stream(
            "POST",
            _url(place, path),
            content=msgspec.json.encode(body),
            headers=_headers(place, {"accept-encoding": "identity"}),
            timeout=httpx.Timeout(SIGN_OF_LIFE, connect=10.0, pool=None),
        ) as answer:
            self._has_answered = True
            if not answer.is_success:
                await answer.aread()
                if self._has_moved(answer, place):
                    raise httpx.RemoteProtocolError("the token has changed")
                raise _refusal(answer)
            yield answer.aiter_raw()

    def not_reachable(self, error: Exception) -> NotReachable:
        """Return the error that no server answers."""
        words = str(error) or type(error).__name__
        if no_tls := without_tls(self.url, words):
            return NotReachable(no_tls)
        return NotReachable(
            f"no server answers at {self.url} ({words}); start one with `pooldeck serve`, or say "
            f"where it is: by url=..., POOLDECK_URL or a profile (this is {self._place.source})"
        )

    def _has_moved(self, answer: httpx.Response, place: Place) -> bool:
        """Tell whether a request was refused at a place that is another by now.

        A server on this machine has a new token for its user each time that it starts.
        """
        if answer.status_code != _UNAUTHORIZED:
            return False
        if self._place == place:
            self._place = self._find()
        return self._place != place


async def _pause_or_raise(answer: httpx.Response, pauses: Pauses, *, waits_for_room: bool) -> None:
    """Wait before a request is sent again; raise what the server says if it is for good."""
    error = _refusal(answer)
    is_full = error.status == _TOO_MANY and error.code not in _FOR_GOOD
    if error.code == QUEUE_FULL:
        is_full = waits_for_room
    may_wait = error.status in _LATER or is_full
    if not may_wait or not await pauses.wait(later(answer.headers)):
        raise error


def _url(place: Place, path: str) -> str:
    return f"{place.url}{API}{path}"


def _headers(place: Place, more: Mapping[str, str] | None) -> dict[str, str]:
    headers = {"content-type": "application/json", **(more or {})}
    if place.token is not None:
        headers["authorization"] = f"Bearer {place.token}"
    return headers


def decoded(answer: httpx.Response) -> Any:
    """Return the JSON of an answer; text where it is none."""
    if "json" in answer.headers.get("content-type", ""):
        return _decode(answer.content)
    return answer.text


def later(headers: Mapping[str, str]) -> float | None:
    """Return after how many seconds to come again, where an answer says so."""
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _refusal(answer: httpx.Response) -> Refused:
    try:
        problem = _decode(answer.content)
    except (msgspec.DecodeError, httpx.ResponseNotRead):
        problem = {}
    return refusal(answer.status_code, problem if isinstance(problem, dict) else {})
