"""A server that answers as it is told to: for what a real one does only on a bad day."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

NOTHING = b""
"""An answer: the connection is closed in the middle."""


class Heard(NamedTuple):
    """A request: what it was, with its body, and when it came (seconds of the monotonic clock)."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def tasks(self) -> list[Any]:
        """Return the tasks of a batch."""
        found: list[Any] = json.loads(self.body)["tasks"]
        return found


def said(status: int, body: Any, **headers: str) -> bytes:
    """Return an answer with a body of JSON."""
    content = json.dumps(body).encode()
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{more}"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


Answer = Callable[[Heard], bytes]


class Misbehaving:
    """Listens on a port; each batch gets the next of `answers`, the last one again and again.

    A watch gets an answer that stays open and says nothing.
    """

    def __init__(self, answers: Sequence[Answer | bytes]) -> None:
        self.batches: list[Heard] = []
        self._answers = list(answers)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Close all connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection.makefile("rb") as stream:
            while request := _read(stream):
                answer = self._answer(request)
                connection.sendall(answer)
                if answer == NOTHING:
                    connection.shutdown(socket.SHUT_RDWR)
                    return

    def _answer(self, request: Heard) -> bytes:
        if not request.path.endswith("/batch"):
            line = b'{"watch": "w"}\n'
            head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            return head + f"{len(line):x}\r\n".encode() + line + b"\r\n"
        self.batches.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return answer if isinstance(answer, bytes) else answer(request)


@contextmanager
def misbehaving(*answers: Answer | bytes) -> Iterator[Misbehaving]:
    """Run such a server while the body runs."""
    server = Misbehaving(answers)
    try:
        yield server
    finally:
        server.close()


def stores(request: Heard) -> bytes:
    """Answer a batch as a server that stores it."""
    return said(202, {"ids": [f"id-{number}" for number in range(len(request.tasks))]})


def _read(stream: Any) -> Heard | None:
    first = stream.readline().decode()
    if not first:
        return None
    headers = {}
    while (line := stream.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    method, path, _ = first.split()
    return Heard(method, path, headers, body, time.monotonic())
