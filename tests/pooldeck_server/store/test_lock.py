"""One server to a folder, and its sign of life."""

import os
from pathlib import Path

import pytest

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.store.lock import Lock

MOMENT = 1_700_000_000_000_000  # microseconds since the epoch


def test_a_first_server_finds_no_sign_of_life(tmp_path: Path) -> None:
    lock = Lock.acquire(tmp_path / "lock")

    assert lock.last_touched is None
    lock.release()


def test_the_next_server_finds_when_the_last_one_was_alive(tmp_path: Path) -> None:
    first = Lock.acquire(tmp_path / "lock")
    first.touch(MOMENT)
    first.release()

    second = Lock.acquire(tmp_path / "lock")

    assert second.last_touched == MOMENT
    second.release()


def test_a_start_that_fails_is_no_sign_of_life(tmp_path: Path) -> None:
    holder = Lock.acquire(tmp_path / "lock")
    holder.touch(MOMENT)
    with pytest.raises(StartupError, match=str(os.getpid())):
        Lock.acquire(tmp_path / "lock")
    holder.release()
    Lock.acquire(tmp_path / "lock").release()  # and so does one that got as far as the lock

    last = Lock.acquire(tmp_path / "lock")

    assert last.last_touched == MOMENT
    last.release()
