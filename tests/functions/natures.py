"""Functions of known nature, for tests of what a worker measures."""

import ctypes
import hashlib
import json
import re
import sqlite3
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator

from pooldeck import current_task, task

_TEXT = json.dumps([{"number": n, "name": f"name {n}"} for n in range(2_000)])
_C = ctypes.PyDLL(None)  # its functions are called with the GIL
_BYTES = bytes(range(256)) * 16_384


def _for_a_while(seconds: float) -> Iterator[None]:
    until = time.thread_time() + seconds  # of CPU time, however busy the machine is
    while time.thread_time() < until:
        yield


@task
def loop(seconds: float) -> None:
    for _ in _for_a_while(seconds):
        sum(n * n for n in range(2_000))


@task
def parse(seconds: float) -> None:
    for _ in _for_a_while(seconds):
        json.loads(_TEXT)


@task
def search(seconds: float) -> None:
    for _ in _for_a_while(seconds):
        re.findall(r"(\w+) (\d+)", _TEXT)


@task
def count_words(seconds: float) -> None:
    for _ in _for_a_while(seconds):
        Counter(re.findall(r"\w+", _TEXT))


@task
def digest(seconds: float) -> None:
    for _ in _for_a_while(seconds):
        hashlib.sha256(_BYTES).digest()


@task
def compress(seconds: float) -> None:
    for _ in _for_a_while(seconds):
        zlib.compress(_BYTES)


@task
def query(seconds: float) -> None:
    with sqlite3.connect(":memory:") as connection:
        for _ in _for_a_while(seconds):
            connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
                " SELECT sum(i * i % 7) FROM n"
            ).fetchone()
    connection.close()


@task
def rest(seconds: float) -> None:
    time.sleep(seconds)


@task
def wake_often(seconds: float) -> None:
    """Wait for so long in naps of a millisecond."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.001)


@task
def wait_shortly(seconds: float) -> None:
    """Wait for so long in moments that are over before a look is, as a commit on a fast disk is."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.0001)


@task
def rest_with_gil(seconds: float) -> None:
    """Wait for so long in pieces of 20 ms without giving the GIL up, as some C code does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _C.usleep(20_000)


@task
def child(seconds: float) -> None:
    """Let a child process compute."""
    program = f"import time\nwhile time.process_time() < {seconds}: pass"
    subprocess.run([sys.executable, "-S", "-c", program], check=True)


@task
def helped(seconds: float) -> None:
    """Let a thread of its own compute."""
    helper = threading.Thread(target=loop, args=(seconds,))
    helper.start()
    helper.join()


@task
def turned_away() -> None:
    current_task().throttled(1.5)
    current_task().throttled()


@task
def hungry(mebibytes: int) -> int:
    return len(bytearray(mebibytes << 20).replace(b"\0", b"\1"))
