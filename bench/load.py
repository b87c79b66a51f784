"""The load generator: raw HTTP/1.1 over keep-alive connections, in a process of its own.

`generate` starts that process (`python -m bench.load`), hands it a plan and returns what it saw. It
does as little as it can for each request, so that what it measures is the other side; `Load.busy`
says how much of a core it needed.
"""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

_LONGEST_RUN = 300.0  # seconds


class Plan(Struct, frozen=True):
    """What to send: `requests` over and over, in turn, `count` of them in all.

    Each connection sends its next request `pause` seconds after an answer, and none when `seconds`
    have passed.
    """

    port: int
    requests: list[bytes]
    count: int
    connections: int = 1
    pause: float = 0.0
    seconds: float = _LONGEST_RUN


class Load(Struct, frozen=True):
    """What came back. Times are in seconds, `began` and `ended` of the monotonic clock.

    `latencies` are in the order of the answers: with one connection, that of the requests.
    """

    began: float
    ended: float
    latencies: list[float]
    statuses: dict[int, int]
    cpu: float

    @property
    def rate(self) -> float:
        """Return the requests answered per second."""
        return len(self.latencies) / (self.ended - self.began)

    @property
    def busy(self) -> float:
        """Return how much of one core the generator itself took, in percent."""
        return 100 * self.cpu / (self.ended - self.began)


class UnexpectedAnswerError(Exception):
    """Something other than the wanted status came back, so that there is nothing to measure."""


def get(path: str) -> bytes:
    """Return the bytes of a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post(path: str, body: object, token: str | None = None) -> bytes:
    """Return the bytes of a POST request with `body` as JSON, and with `token` if there is one."""
    content = msgspec.json.encode(body)
    credentials = "" if token is None else f"Authorization: Bearer {token}\r\n"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"{credentials}Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def generate(plan: Plan, wanted: Sequence[int]) -> Load:
    """Carry out `plan` in another process; return what it saw.

    Raises:
        UnexpectedAnswerError: If an answer had a status that is not `wanted`.
    """
    completed = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=msgspec.msgpack.encode(plan),
        stdout=subprocess.PIPE,
        timeout=plan.seconds + 10,
        check=True,
    )
    load = msgspec.msgpack.decode(completed.stdout, type=Load)
    if not load.statuses.keys() <= set(wanted):
        raise UnexpectedAnswerError(f"wanted status {wanted}, got {load.statuses} (status: times)")
    return load


class _Run:
    """The plan being carried out, shared by its connections."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sent = 0
        self._at_work = plan.connections
        self._deadline = time.monotonic() + plan.seconds

    def take(self) -> bytes | None:
        """Return the next request; None tells a connection to rest, since no more are sent."""
        if self._sent == self.plan.count or time.monotonic() > self._deadline:
            self._at_work -= 1
            if self._at_work == 0:
                self.over.set_result(None)
            return None
        request = self.plan.requests[self._sent % len(self.plan.requests)]
        self._sent += 1
        return request

    def answered(self, status: int, seconds: float) -> None:
        """Note an answer."""
        self.statuses[status] += 1
        self.latencies.append(seconds)

    def broke(self) -> None:
        """Note that a connection ended in the middle."""
        if not self.over.done():
            self.over.set_exception(ConnectionError("the server closed a connection"))


class _Connection(asyncio.Protocol):
    """One keep-alive connection: sends a request, waits for its answer, sends the next."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._answer = b""
        self._missing = 0  # bytes of the answer's body; while 0, the head is not complete

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self) -> None:
        """Send the next request, if there is one."""
        if (request := self._run.take()) is not None:
            self._sent_at = time.perf_counter()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end_of_head, body = self._answer.partition(b"\r\n\r\n")
        if not end_of_head or len(body) < _content_length(head):
            return
        self._answer = b""
        self._run.answered(int(head[9:12]), time.perf_counter() - self._sent_at)
        if self._run.plan.pause:
            asyncio.get_running_loop().call_later(self._run.plan.pause, self.send)
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._run.broke()


def _content_length(head: bytes) -> int:
    name = b"\r\ncontent-length:"
    start = head.lower().index(name) + len(name)
    return int(head[start:].split(b"\r\n", 1)[0])


async def _carry_out(plan: Plan) -> Load:
    run = _Run(plan)
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: _Connection(run), "127.0.0.1", plan.port))[1]
        for _ in range(plan.connections)
    ]
    began, cpu = time.monotonic(), time.process_time()
    for connection in connections:
        connection.send()
    await run.over
    return Load(
        began, time.monotonic(), run.latencies, dict(run.statuses), time.process_time() - cpu
    )


def _main() -> None:
    plan = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.msgpack.encode(uvloop.run(_carry_out(plan))))


if __name__ == "__main__":
    _main()
