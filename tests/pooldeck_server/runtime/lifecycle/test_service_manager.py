"""What a service manager hears, by a real socket."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.lifecycle.service_manager import (
    NotifySocket,
    ServiceManager,
    notify_socket,
)
from tests.support.engine import eventually

ABSTRACT = f"@pooldeck-test-{os.getpid()}"


@pytest.fixture
def heard() -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
        listener.bind("\0" + ABSTRACT[1:])
        listener.setblocking(False)
        yield listener


def words(listener: socket.socket) -> list[str]:
    """Return all lines that have come."""
    lines: list[str] = []
    while True:
        try:
            lines += listener.recv(65536).decode().splitlines()
        except BlockingIOError:
            return lines


def test_the_workers_inherit_nothing_of_it() -> None:
    environment = {"NOTIFY_SOCKET": ABSTRACT, "WATCHDOG_USEC": "8000000", "HOME": "/"}
    assert notify_socket(environment) == NotifySocket(ABSTRACT, 8.0)
    assert environment == {"HOME": "/"}
    assert notify_socket(environment) is None


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}, None),  # that of another process
        ({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid())}, 1.0),
    ],
)
def test_a_watchdog_counts_only_where_it_is_for_this_process(
    variables: dict[str, str], seconds: float | None
) -> None:
    assert notify_socket({"NOTIFY_SOCKET": "/run/x", **variables}) == NotifySocket(
        "/run/x", seconds
    )


def test_where_nobody_listens_nothing_fails(tmp_path: Path) -> None:
    assert not NotifySocket(str(tmp_path / "nothing")).send("READY=1")


async def test_signs_of_life_come_only_while_the_writer_lives(heard: socket.socket) -> None:
    ending, said, alive = Ending(600), [], [True]
    manager = ServiceManager(socket=NotifySocket(ABSTRACT, 0.02), ending=ending)
    manager.is_alive, manager.status = lambda: alive[0], lambda: "ready"
    manager.start()

    def has(line: str) -> bool:
        said.extend(words(heard))
        return line in said

    await eventually(lambda: has("STATUS=starting"))
    assert any(line.startswith("EXTEND_TIMEOUT_USEC=") for line in said)
    assert not {"READY=1", "WATCHDOG=1"} & set(said)
    manager.is_ready.set()
    await eventually(lambda: has("WATCHDOG=1"))
    assert said.index("READY=1") < said.index("WATCHDOG=1")
    await eventually(lambda: has("STATUS=ready"))

    alive[0] = False
    words(heard)  # what was said until now, on this loop
    manager.status = lambda: "one more beat"
    said.clear()
    await eventually(lambda: has("STATUS=one more beat"))
    assert "WATCHDOG=1" not in said

    said.clear()
    ending.begin()
    await eventually(lambda: has("STOPPING=1"))
    await eventually(lambda: has("WATCHDOG=1"))  # the end of the writer is part of it
    assert any(line.startswith("EXTEND_TIMEOUT_USEC=") for line in said)
    await manager.stop()
