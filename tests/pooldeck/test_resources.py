"""A resource: one per thread or per process, made at first use, closed at the end of its owner."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Engine, create_engine, event, text

from pooldeck import resource, resources

T = TypeVar("T")


class Opened:
    """Something that is opened and closed."""

    def __init__(self, log: list[str], name: str = "it") -> None:
        self.log = log
        self.name = name
        log.append(f"open {name}")

    def close(self) -> None:
        self.log.append(f"close {self.name}")


def _in_a_thread(call: Callable[[], T]) -> T:
    found: list[T] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found[0]


def test_each_thread_has_its_own_and_keeps_it() -> None:
    log: list[str] = []
    opened = resource(lambda: Opened(log))

    assert log == []
    assert opened() is opened()
    assert _in_a_thread(opened) is not opened()
    assert log == ["open it", "open it"]
    opened.discard()


def test_a_connection_of_sqlite_can_be_used_wherever_it_is_asked_for(tmp_path: Path) -> None:
    @resource
    def connection() -> sqlite3.Connection:
        """Open it."""
        return sqlite3.connect(tmp_path / "numbers.sqlite3")

    def write(number: int) -> None:
        with connection() as opened:
            opened.execute("INSERT INTO numbers VALUES (?)", (number,))
        connection.discard()

    connection().execute("CREATE TABLE numbers (n)")
    for number in range(3):
        _in_a_thread(lambda n=number: write(n))  # type: ignore[misc]  # mypy sees no type for n
    assert connection().execute("SELECT sum(n) FROM numbers").fetchone() == (3,)
    assert connection.__doc__ == "Open it."
    connection.discard()


def test_threads_share_that_of_their_process_which_is_made_once() -> None:
    log: list[str] = []
    together = threading.Barrier(8)

    @resource(per="process")
    def opened() -> Opened:
        return Opened(log)

    def ask() -> Opened:
        together.wait()
        return opened()

    found: list[Opened] = []
    threads = [threading.Thread(target=lambda: found.append(ask())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(map(id, found))) == 1
    assert log == ["open it"]
    opened.discard()
    assert log == ["open it", "close it"]


def test_a_pool_of_connections_is_shared_by_the_threads_of_a_process(tmp_path: Path) -> None:
    opened: list[object] = []

    @resource(per="process", close=Engine.dispose)
    def database() -> Engine:
        made = create_engine(f"sqlite:///{tmp_path / 'orders'}", pool_size=2, max_overflow=0)
        event.listen(made, "connect", lambda connection, _record: opened.append(connection))
        return made

    def ask() -> object:
        with database().connect() as connection:
            return connection.execute(text("SELECT 1")).scalar_one()

    with ThreadPoolExecutor(8) as executor:
        answers = list(executor.map(lambda _: ask(), range(40)))

    assert answers == [1] * 40
    assert 1 <= len(opened) <= 2
    database.discard()


def test_what_cannot_be_opened_is_tried_again() -> None:
    log: list[str] = []

    @resource
    def opened() -> Opened:
        if not log:
            log.append("failed")
            raise ConnectionError("not yet")
        return Opened(log)

    with pytest.raises(ConnectionError):
        opened()
    assert opened().name == "it"
    opened.discard()


def test_what_broke_is_closed_and_made_anew() -> None:
    log: list[str] = []
    opened = resource(lambda: Opened(log, f"number {len(log)}"))
    first = opened()
    opened.discard()
    assert opened() is not first
    opened.discard()
    assert log == ["open number 0", "close number 0", "open number 2", "close number 2"]


def test_a_thread_closes_the_latest_first_and_an_error_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log: list[str] = []
    outer = resource(lambda: Opened(log, "outer"))
    inner = resource(lambda: Opened(log, "inner"), close=lambda one: one.log.append("inner's end"))
    broken = resource(lambda: Opened(log, "broken"), close=lambda _one: 1 / 0)

    def work() -> None:
        outer()
        inner()
        broken()
        resources.close_own()

    _in_a_thread(work)
    assert log[3:] == ["inner's end", "close outer"]
    assert "a resource could not be closed: Opened" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_what_has_no_close_is_just_let_go() -> None:
    numbers = resource(lambda: [1, 2])
    numbers().append(3)
    numbers.discard()
    assert numbers() == [1, 2]
    numbers.discard()


def test_a_forked_child_makes_its_own_and_leaves_that_of_its_parent_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    source = f"""
import os
from pathlib import Path
from pooldeck import resource

def say(text):
    with open({str(log)!r}, "a") as log:
        log.write(text + "\\n")

class Opened:
    def __init__(self):
        self.pid = os.getpid()
        say("open")
    def close(self):
        say("closed by its owner" if self.pid == os.getpid() else "closed by another")

mine = resource(Opened)
ours = resource(Opened, per="process")
mine(), ours()
pid = os.fork()
assert mine().pid == ours().pid == os.getpid()
if pid:
    os.waitpid(pid, 0)
"""
    subprocess.run([sys.executable, "-c", source], check=True)
    assert sorted(log.read_text().splitlines()) == ["closed by its owner"] * 4 + ["open"] * 4


def test_for_whom_there_is_one_must_be_known() -> None:
    with pytest.raises(ValueError, match='per is "thread" or "process", not \'task\''):
        resource(os.getpid, per="task")  # type: ignore[call-overload]  # that is the point
