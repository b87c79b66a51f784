"""Clients that want to fill the server, and those who go on using it meanwhile."""

import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles

import httpx
import psutil
import pytest

from tests import FUNCTIONS, ROOT
from tests.fuzz.prober import Sleeper, Wait, waited
from tests.support.no_tls import NO_TLS
from tests.support.programs import started
from tests.support.serving import COMMAND, Serving, serving
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not Path("/proc/self/schedstat").exists(), reason="tells who makes a client wait"
    ),
]

SECONDS = 30.0
AT_ONCE = 500  # connections of one program, which may have no more than 1,024 descriptors
CROWD = {"silent": 3000, "slow": 300, "readers": 200}
SIZE = 2_000_000  # bytes of what is not read
SELDOM = 10  # so many probes for each submission
MIB = 1024 * 1024
_QUESTION = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
MORE = 96 * MIB  # that the server may have kept afterwards: what an allocator does not give back


@contextmanager
def crowding(port: int, path: str) -> Iterator[None]:
    with ExitStack() as stack:
        for kind, count in CROWD.items():
            for begun in range(0, count, AT_ONCE):
                number = str(min(AT_ONCE, count - begun))
                program = [sys.executable, "-m", "tests.support.crowding"]
                stack.enter_context(started([*program, str(port), kind, number, path], cwd=ROOT))
        yield


class Prober:
    """A client that asks for /healthz, again and again."""

    def __init__(self, server: Serving) -> None:
        port = server.client.base_url.port
        assert port is not None
        self.port = port
        self.pid = server.process.pid
        self._sleeper = Sleeper()

    def wait(self) -> float:
        """Ask; return the seconds that the server made a new client wait, not the machine."""
        self._sleeper.longest = 0.0
        before = waited(self.pid) + waited("self")
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(_QUESTION)
            answer = connection.recv(65536)
        ended = time.monotonic()
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        machine = waited(self.pid) + waited("self") - before + self._sleeper.longest
        return Wait(began, ended, machine).server


def submit(base: httpx.URL) -> None:
    body = {"function": "web_functions.add", "args": [1]}
    assert (
        httpx.post(base.join("/api/v1/tasks"), json=body, timeout=30, verify=NO_TLS).status_code
        == 202
    )


@contextmanager
def limited(folder: Path, descriptors: int) -> Iterator[Serving]:
    shell = ["/bin/sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh"]
    functions = {"PYTHONPATH": str(FUNCTIONS), "POOLDECK_FUNCTIONS": "web_functions"}
    with serving(folder, command=[*shell, *COMMAND], environment=functions) as server:
        server.wait_until_ready()
        yield server


@pytest.mark.parametrize("descriptors", [1024, 4096])
def test_a_crowd_keeps_nobody_out(tmp_path: Path, descriptors: int) -> None:
    with limited(tmp_path, descriptors) as server:
        process = psutil.Process(server.process.pid)
        prober = Prober(server)
        task = server.run("web_functions.repeat", "x", SIZE)
        before = peak = process.memory_info().rss
        times: list[float] = []
        submitted = 0
        with crowding(prober.port, f"/tasks/{task['id']}/result.json"):
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                times.append(prober.wait())
                if len(times) % SELDOM == 0:
                    submit(server.client.base_url)
                    submitted += 1
                peak = max(peak, process.memory_info().rss)
                time.sleep(0.02)
        p99 = quantiles(times, n=100)[-1]
        print(  # noqa: T201 - figures for whoever asks for them with -s
            f"/healthz {len(times)} times, p99 {1000 * p99:.0f} ms, longest "
            f"{1000 * max(times):.0f} ms; {submitted} submitted; memory {before // MIB} MiB, "
            f"at most {peak // MIB} MiB"
        )
        assert p99 < 0.5

        def is_back() -> bool:
            prober.wait()
            return bool(process.memory_info().rss < before + MORE)

        eventually(is_back, "memory is given back", seconds=90)
        print(f"memory afterwards {process.memory_info().rss // MIB} MiB")  # noqa: T201


def test_large_bodies_hold_nobody_up(tmp_path: Path) -> None:
    """What is parsed at once has a bound, so that others get their turn in between."""
    pieces = [b"[" + b"[]," * 300_000 + b"[]]"] * 15
    body = b'{"tasks": [%b]}' % b",".join(pieces)
    headers = {"Content-Type": "application/json"}
    with limited(tmp_path, 1024) as server, ThreadPoolExecutor(1) as sender:
        prober = Prober(server)
        url = server.client.base_url.join("/api/v1/tasks/batch")
        sent = sender.submit(httpx.post, url, content=body, headers=headers, timeout=120)
        times = [prober.wait()]
        while not sent.done():
            times.append(prober.wait())
        assert sent.result().status_code == 413
        print(f"/healthz {len(times)} times, longest {1000 * max(times):.0f} ms")  # noqa: T201
        assert max(times) < 2.0  # five and more where it is parsed at once


def test_the_smallest_chunks_hold_nobody_up(tmp_path: Path) -> None:
    with limited(tmp_path, 1024) as server:
        prober = Prober(server)
        program = [sys.executable, "-m", "tests.support.crowding"]
        with started([*program, str(prober.port), "tiny", "8", "/"], cwd=ROOT):
            until = time.monotonic() + 8
            times = []
            while time.monotonic() < until:
                times.append(prober.wait())
        print(f"/healthz {len(times)} times, longest {1000 * max(times):.0f} ms")  # noqa: T201
        assert max(times) < 1.0  # three and more where all that is read is parsed at once
