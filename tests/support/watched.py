"""A client's side of a watch: its lines, read by a thread as they come."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from tests.support.waiting import eventually

PATH = "/api/v1/watches"


class WatchReader:
    """What a watch has told so far: `lines`, and of these the `ends` by id."""

    def __init__(self, response: httpx.Response) -> None:
        self.id = ""
        self.lines: list[dict[str, Any]] = []
        self.is_closed = False
        self._response = response
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        eventually(lambda: bool(self.id), "the watch has said its id")

    def _read(self) -> None:
        try:
            for line in self._response.iter_lines():
                told = json.loads(line)
                self.id = self.id or told["watch"]
                self.lines.append(told)
        except (httpx.HTTPError, httpx.StreamError):
            pass  # the connection ended in the middle
        finally:
            self.is_closed = True

    def _all(self, name: str) -> list[Any]:
        return [each for line in list(self.lines) for each in line.get(name, ())]

    @property
    def ends(self) -> dict[str, dict[str, Any]]:
        """Return the ends by the ids of their tasks; each was told once."""
        found = self._all("ends")
        by_id = {end["id"]: end for end in found}
        assert len(by_id) == len(found)
        return by_id

    @property
    def starts(self) -> list[str]:
        return self._all("starts")

    @property
    def unknown(self) -> list[str]:
        return self._all("unknown")

    def wait_for(self, ids: Sequence[str]) -> None:
        """Return when the ends of all these have been told."""
        eventually(lambda: set(ids) <= self.ends.keys(), f"the ends of {len(ids)} tasks are told")

    def wait_until_closed(self) -> None:
        eventually(lambda: self.is_closed, "the watch has ended")


@contextmanager
def watching(http: httpx.Client, ids: Sequence[str] = (), **body: Any) -> Iterator[WatchReader]:
    """Watch tasks while the body runs."""
    # Its reader goes by the end of the connection, however long nothing comes.
    with http.stream("POST", PATH, json={"ids": ids} | body, timeout=None) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"] == "application/x-ndjson"
        try:
            yield WatchReader(response)
        finally:
            _hang_up(response)


def _hang_up(response: httpx.Response) -> None:
    """End the connection; closing alone does not, while the thread waits for what comes by it."""
    connection = response.extensions["network_stream"].get_extra_info("socket")
    with suppress(OSError):  # the server was quicker
        connection.shutdown(socket.SHUT_RDWR)


def add(http: httpx.Client, watch: str, ids: Sequence[str]) -> httpx.Response:
    """Let a watch be for more tasks."""
    return http.post(f"{PATH}/{watch}", json={"ids": ids})
