"""A file of whole lines, whatever else happens to it or to its disk."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pooldeck_server.runtime.recording.rotating_file import RotatingFile

ROOM = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "tasks.log"


def lines(first: int, last: int, width: int = 100) -> list[bytes]:
    """Return numbered lines of a width."""
    return [f"{n:06d}".ljust(width - 1, ".").encode() + b"\n" for n in range(first, last)]


@contextmanager
def most(size: int) -> Iterator[None]:
    """Let files of this process be no larger, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_lines_are_appended_to_what_is_there(path: Path) -> None:
    for n in range(2):
        file = RotatingFile(path, ROOM, 5)
        file.append(lines(n, n + 1))
        file.close()

    assert path.read_bytes() == b"".join(lines(0, 2))
    assert path.stat().st_mode & 0o777 & ~0o640 == 0, "others cannot read it"


def test_a_full_file_is_moved_aside_and_the_oldest_goes(path: Path) -> None:
    file = RotatingFile(path, 1000, 2)
    for n in range(0, 55, 5):
        file.append(lines(n, n + 5))
    file.close()

    assert sorted(each.name for each in path.parent.iterdir()) == [
        "tasks.log",
        "tasks.log.1",
        "tasks.log.2",
    ]
    kept = [path.with_name(name).read_bytes() for name in ("tasks.log.2", "tasks.log.1")]
    assert kept == [b"".join(lines(30, 40)), b"".join(lines(40, 50))]
    assert path.read_bytes() == b"".join(lines(50, 55))


def test_one_batch_can_fill_several_files_none_of_them_too_large(path: Path) -> None:
    file = RotatingFile(path, 1050, 9)
    file.append(lines(0, 35))
    file.close()

    names = ["tasks.log.3", "tasks.log.2", "tasks.log.1", "tasks.log"]
    contents = [path.with_name(name).read_bytes() for name in names]
    assert b"".join(contents) == b"".join(lines(0, 35))
    assert [len(content) for content in contents] == [1000, 1000, 1000, 500]


def test_a_line_larger_than_a_file_has_one_to_itself(path: Path) -> None:
    file = RotatingFile(path, 500, 9)
    file.append([*lines(0, 1), *lines(1, 2, width=900), *lines(2, 3)])
    file.close()

    assert path.with_name("tasks.log.1").stat().st_size == 900


def test_with_none_to_keep_a_full_file_begins_anew(path: Path) -> None:
    file = RotatingFile(path, 1000, 0)
    file.append(lines(0, 12))
    file.close()

    assert [each.name for each in path.parent.iterdir()] == ["tasks.log"]
    assert path.read_bytes() == b"".join(lines(10, 12))


def test_files_beyond_a_smaller_number_are_removed(path: Path) -> None:
    path.parent.mkdir()
    for n in range(1, 6):
        path.with_name(f"tasks.log.{n}").touch()
    file = RotatingFile(path, 1000, 2)
    file.append(lines(0, 11))
    file.close()

    assert sorted(each.name for each in path.parent.iterdir()) == [
        "tasks.log",
        "tasks.log.1",
        "tasks.log.2",
    ]


@pytest.mark.parametrize("is_removed", [True, False])
def test_a_file_that_was_moved_away_is_opened_anew(path: Path, is_removed: bool) -> None:
    file = RotatingFile(path, ROOM, 5)
    file.append(lines(0, 1))
    aside = path.with_name("elsewhere")
    path.rename(aside)
    if is_removed:
        aside.unlink()
    file.append(lines(1, 2))
    file.close()

    assert path.read_bytes() == b"".join(lines(1, 2))
    assert is_removed or aside.read_bytes() == b"".join(lines(0, 1))


def test_a_file_that_was_truncated_goes_on_from_its_start(path: Path) -> None:
    file = RotatingFile(path, ROOM, 5)
    file.append(lines(0, 9))
    os.truncate(path, 0)
    file.append(lines(9, 10))
    file.close()

    assert path.read_bytes() == b"".join(lines(9, 10))


def test_a_full_disk_leaves_whole_lines_and_says_how_many(path: Path) -> None:
    file = RotatingFile(path, ROOM, 5)
    with most(1050), pytest.raises(OSError, match="too large"):
        file.append(lines(0, 20))

    assert file.lines == 10
    assert path.read_bytes() == b"".join(lines(0, 10))

    file.append(lines(20, 22))
    file.close()
    assert file.lines == 12
    assert path.read_bytes() == b"".join(lines(0, 10) + lines(20, 22))


def test_a_line_that_a_killed_server_left_half_is_ended(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"half a li")
    file = RotatingFile(path, ROOM, 5)
    file.append([b"next\n"])
    file.close()

    assert path.read_bytes() == b"half a li\nnext\n"


def test_only_a_regular_file_will_do(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(OSError, match="is no regular file"):
            RotatingFile(place, ROOM, 5)
    with pytest.raises(IsADirectoryError):
        RotatingFile(tmp_path, ROOM, 5)
