"""The client through the deaths of a server: nothing is submitted twice, nothing is missed."""

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from pooldeck import Client, RemoteFuture
from pooldeck.client.errors import TaskLost
from tests.functions import client_functions as functions
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually

BOUND = 120
CONFIG = f"""
functions = ["{functions.MODULE}"]
grace_seconds = 0.5
[pools.io]
kind = "thread"
size = 4
[pools.cpu]
kind = "process"
size = 2
[pools.solo]
kind = "process"
size = 1
"""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
        return number


def kill(server: Serving) -> None:
    server.process.kill()
    server.wait()


def test_a_burst_through_a_kill_is_stored_once_and_all_of_it_ends(
    tmp_path: Path, port: int
) -> None:
    (tmp_path / "pooldeck.toml").write_text(CONFIG)
    futures: list[RemoteFuture[Any]] = []
    with Client(f"http://127.0.0.1:{port}", timeout=BOUND) as client:
        view = client.options(tags=["burst"])

        def submit() -> None:
            futures.extend(view.submit(functions.add, number) for number in range(4000))

        with serving(tmp_path, "--port", str(port)) as server:
            server.wait_until_ready()
            thread = threading.Thread(target=submit)
            thread.start()
            eventually(lambda: any(future.task_id for future in futures[:1]), "some are stored")
            kill(server)
        with serving(tmp_path, "--port", str(port)) as server:
            thread.join(BOUND)
            ends = [future.exception(BOUND) for future in futures]
            ids = [task["id"] for task in client.tasks(tag="burst", limit=500)]
    assert [end for end in ends if end is not None and not isinstance(end, TaskLost)] == []
    assert len(ids) == len(set(ids)) == 4000
    assert set(ids) == {future.task_id for future in futures}
    results = [(n, each.result()) for n, each in enumerate(futures) if not ends[n]]
    assert len(results) > 3000
    assert all(result == number + 2 for number, result in results)


@pytest.mark.soak  # the burst above meets it as well, if on a smaller scale
def test_ends_during_a_restart_are_told_after_it(tmp_path: Path, port: int) -> None:
    (tmp_path / "pooldeck.toml").write_text(CONFIG)
    gate = tmp_path / "gate"
    with Client(f"http://127.0.0.1:{port}", timeout=BOUND) as client:
        with serving(tmp_path, "--port", str(port)) as server:
            server.wait_until_ready()
            held = client.submit(functions.hold, str(gate))
            waiting = [client.submit(functions.hold, str(gate)) for _ in range(3)]
            eventually(held.running, "it runs")
            assert all(future.stored(BOUND) for future in waiting)
            kill(server)
        gate.touch()
        with serving(tmp_path, "--port", str(port)):
            assert isinstance(held.exception(BOUND), TaskLost)
            assert [future.result(BOUND) for future in waiting] == ["open"] * 3


def test_more_ids_than_a_body_may_have_are_waited_for_all_the_same(
    tmp_path: Path, port: int
) -> None:
    (tmp_path / "pooldeck.toml").write_text(CONFIG)
    with Client(f"http://127.0.0.1:{port}", timeout=BOUND) as client:
        with serving(tmp_path, "--port", str(port)) as server:
            server.wait_until_ready()
            view = client.options(pool="solo", delay=5)
            futures = [view.submit(functions.add, number) for number in range(1500)]
            for future in futures:
                future.stored(BOUND)
            kill(server)
        (tmp_path / "pooldeck.toml").write_text(f"{CONFIG}\n[limits]\nbody_bytes = 20000\n")
        with serving(tmp_path, "--port", str(port)):
            assert {type(future.result(BOUND)) for future in futures} == {int}
