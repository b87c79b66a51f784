"""A running server as a command sees it: where it is, and what it answers."""

import os
from typing import Any, Final, Self

import httpx

DEFAULT_URL: Final = "http://127.0.0.1:8000"
_SECONDS: Final = 30.0


class ServerError(Exception):
    """The server cannot be reached; the message is one line for people."""


class RefusedError(ServerError):
    """The server refused a request, and said why."""


class RemoteServer:
    """The API of a running server. Use it as a context manager.

    What is not given, POOLDECK_URL and POOLDECK_TOKEN tell, or the server's defaults.
    """

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        self.url = (url or os.environ.get("POOLDECK_URL") or DEFAULT_URL).rstrip("/")
        token = token or os.environ.get("POOLDECK_TOKEN")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1", headers=headers, timeout=_SECONDS, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str) -> Any:
        """Return what stands at `path`, decoded.

        Raises:
            RefusedError: If the server does not give it.
            ServerError: If it cannot be reached.
        """
        return self._ask("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """Send `body` to `path`; return the answer, decoded. Raises as `get`."""
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise ServerError(
                f"no server answers at {self.url} ({error}); start one with `pooldeck serve`, or "
                "say where it is with --url or POOLDECK_URL"
            ) from None
        if answer.is_error:
            raise RefusedError(_words(answer))
        return answer.json()


def _words(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered with status {answer.status_code}"
