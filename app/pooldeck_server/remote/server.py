"""A running server as a command sees it: where it is, and what it answers."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

from pooldeck.client.places import API, Place, PlaceError, find_place, without_tls
from pooldeck_server.command_line.complaint import (
    NOT_DONE,
    REFUSED,
    UNREACHABLE,
    WRONG,
    Complaint,
)

_SECONDS: Final = 30.0
_HEADER: Final = "authorization"
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404
_UNPROCESSABLE: Final = 422
_JSON: Final = {"content-type": "application/json"}

Params = Mapping[str, Any]


class ServerError(Complaint):
    """The server cannot be reached; the message is one line for people."""

    def __init__(self, line: str, *, exit_code: int = UNREACHABLE) -> None:
        super().__init__(line, exit_code=exit_code)


class RefusedError(ServerError):
    """The server refused a request, and said why.

    Attributes:
        status: Of its answer, as HTTP has them.
        code: What the API calls the reason; empty where it was not the API that answered.
        retry_after: Seconds to wait before the request is worth repeating; None if it is not said.
    """

    def __init__(
        self, line: str, status: int, code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(line, exit_code=NOT_DONE if status == _NOT_FOUND else REFUSED)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class RemoteServer:
    """The API of a running server. Use it as a context manager.

    What is not given is found as `pooldeck.client.places` has it. An answer may take `seconds`.

    Attributes:
        url: Where it is.
        source: What has said so.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        profile: str | None = None,
        *,
        seconds: float = _SECONDS,
    ) -> None:
        self._said = url, token, profile
        place = self._place()
        self.url, self.source, self._seconds = place.url, place.source, seconds
        self._streams: set[socket.socket] = set()
        self._http = httpx.Client(
            base_url=f"{self.url}{API}",
            timeout=seconds,
            trust_env=False,
            verify=self.url.startswith("https:"),  # certificates take a while to load
        )
        self._show(place)

    def _place(self) -> Place:
        try:
            return find_place(*self._said)
        except PlaceError as error:
            raise Complaint(str(error), exit_code=WRONG) from None

    def _show(self, place: Place) -> None:
        """Show the token of a place from now on."""
        if place.token:
            self._http.headers[_HEADER] = f"Bearer {place.token}"
        else:
            self._http.headers.pop(_HEADER, None)

    def _has_another_token(self, answer: httpx.Response) -> bool:
        """Look whether a server that knows us no more has another token for us since its start."""
        if answer.status_code != _UNAUTHORIZED:
            return False
        place = self._place()
        if place.url != self.url:
            return False
        self._show(place)
        return bool(answer.request.headers.get(_HEADER) != self._http.headers.get(_HEADER))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in list(self._streams):  # wakes the threads that read from them
            with suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
        self._http.close()

    @staticmethod
    def part(name: str) -> str:
        """Return a name as it stands in a path."""
        return quote(name, safe="")

    def get(self, path: str, params: Params | None = None, *, seconds: float = 0) -> Any:
        """Return what stands at `path`, decoded; `seconds` is how long it may take by itself.

        Raises:
            RefusedError: If the server does not give it.
            ServerError: If it cannot be reached.
        """
        return _decoded(self.ask("GET", path, params=params, seconds=seconds))

    def post(self, path: str, body: Any = None) -> Any:
        """Send `body` to `path`; return the answer, decoded. Raises as `get`."""
        return _decoded(self.ask("POST", path, body))

    def patch(self, path: str, body: Any) -> Any:
        """Change what stands at `path` as `body` says; return it, decoded. Raises as `get`."""
        return _decoded(self.ask("PATCH", path, body))

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 0,
    ) -> httpx.Response:
        """Send a request and return its answer. Raises as `get`."""
        request: dict[str, Any] = {"params": params, "timeout": self._seconds + seconds}
        request["headers"] = dict(headers or {})
        if body is not None:
            request["content"] = _encoded(body)
            request["headers"] |= _JSON
        with self._in_words():
            answer = self._http.request(method, path, **request)
            if self._has_another_token(answer):
                answer = self._http.request(method, path, **request)
        if not answer.is_success:
            raise _refused(answer)
        return answer

    @contextmanager
    def lines(self, method: str, path: str, body: Any = None) -> Iterator[Iterator[str]]:
        """Send a request and yield the lines of its answer as they come. Raises as `get`."""
        with self._in_words(), self._http.stream(method, path, json=body) as answer:
            if not answer.is_success:
                answer.read()
                if self._has_another_token(answer):
                    raise ServerError("the server was started anew: ask again")
                raise _refused(answer)
            stream = answer.extensions["network_stream"].get_extra_info("socket")
            self._streams.add(stream)
            try:
                yield answer.iter_lines()
            finally:
                self._streams.discard(stream)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except httpx.InvalidURL as error:
            raise ServerError(f"{self.url} is no address of a server: {error}") from None
        except httpx.HTTPError as error:
            if no_tls := without_tls(self.url, str(error)):
                raise ServerError(no_tls) from None
            raise ServerError(
                f"no server answers at {self.url} ({error}); start one with `pooldeck serve`, or "
                "say where it is with --url or POOLDECK_URL"
            ) from None


def _encoded(body: Any) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:  # half a character, or a number beyond all numbers
        raise RefusedError(f"this cannot be sent as JSON: {error}", _UNPROCESSABLE) from None


def _decoded(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        place = f"{answer.url.scheme}://{answer.url.netloc.decode()}"
        raise Complaint(
            f"what answers at {place} is no Pooldeck: it sends no JSON", exit_code=UNREACHABLE
        ) from None


def _refused(answer: httpx.Response) -> RefusedError:
    try:
        problem = answer.json()
        words, code = str(problem["detail"]), str(problem.get("code", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        words, code = f"the server answered with status {answer.status_code}", ""
    after = answer.headers.get("retry-after", "")
    return RefusedError(
        words, answer.status_code, code, float(after) if after.isdecimal() else None
    )
