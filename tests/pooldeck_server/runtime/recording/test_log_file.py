"""The log file takes lines at once, writes them in order, and says what is missing."""

import json
import logging
import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from pooldeck.protocol import LogLine
from pooldeck_server.runtime.recording.log_file import LogFile
from pooldeck_server.runtime.recording.log_format import LogRecord, Origin, formatter
from pooldeck_server.runtime.recording.rotating_file import RotatingFile

BOUND = 120.0
ORIGIN = Origin("io", "io-1", "0199", 2, "acme.jobs.fetch")
AT = 1_800_000_000.25
LARGE = 10**9


@contextmanager
def writing(
    path: Path, form: Literal["text", "json"] = "text", hidden: tuple[str, ...] = ()
) -> Iterator[LogFile]:
    """Write to a file while the body runs."""
    file = LogFile(RotatingFile(path, LARGE, 5), formatter(form), hidden)
    file.start()
    try:
        yield file
    finally:
        file.stop()


def line(message: str, level: str = "INFO") -> LogLine:
    """Return a line of a task's log."""
    return LogLine(AT, level, "stdout", message)


def own(level: str, message: str, **more: Any) -> LogRecord:
    """Return a record of the server's own."""
    return LogRecord(AT, level, "pooldeck_server.cli", message, None, **more)


def eventually(is_so: Callable[[], bool]) -> None:
    """Return as soon as something is so."""
    until = time.monotonic() + BOUND
    while not is_so():
        assert time.monotonic() < until, "it did not come to be"
        time.sleep(0.01)


def test_a_record_is_one_line_that_says_whose_words_it_has(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with writing(path) as file:
        file.add_lines(ORIGIN, [line("first\nsecond\r\x1b[31m\u2028ü")])
        file.add_record(own("WARNING", "mine"))

    assert path.read_text() == (
        "2027-01-15T08:00:00.250Z INFO io io-1 0199/2 acme.jobs.fetch "
        "stdout: first\\nsecond\\r\\x1b[31m\\u2028ü\n"
        "2027-01-15T08:00:00.250Z WARNING server - - - pooldeck_server.cli: mine\n"
    )


def test_as_json_every_part_has_its_name(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with writing(path, "json") as file:
        file.add_lines(ORIGIN, [line("first\nsecond")])
        file.add_record(own("ERROR", "mine", about={"pool": "io", "time": 5}, traceback="T\nE"))

    said = [json.loads(each) for each in path.read_text().split("\n")[:-1]]
    assert said[0] == {
        "time": "2027-01-15T08:00:00.250000Z",
        "level": "INFO",
        "pool": "io",
        "worker": "io-1",
        "task": "0199",
        "attempt": 2,
        "function": "acme.jobs.fetch",
        "source": "stdout",
        "message": "first\nsecond",
    }
    assert said[1] == {
        "time": "2027-01-15T08:00:00.250000Z",
        "level": "ERROR",
        "pool": "io",
        "source": "pooldeck_server.cli",
        "message": "mine",
        "traceback": "T\nE",
    }


def test_a_time_that_cannot_be_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with writing(path) as file:
        for at in (1e20, float("nan"), -1e18):
            file.add_lines(ORIGIN, [LogLine(at, "INFO", "stdout", "x")])

    assert [each.split()[:2] for each in path.read_text().splitlines()] == [["-", "INFO"]] * 3


def test_levels_below_the_least_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with writing(path, hidden=("DEBUG", "INFO")) as file:
        levels = ["DEBUG", "INFO", "WARNING", "NOTICE"]
        file.add_lines(ORIGIN, [line("x", level) for level in levels])

    assert [each.split()[1] for each in path.read_text().splitlines()] == ["WARNING", "NOTICE"]


def test_many_threads_keep_their_order_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"

    def speak(file: LogFile, name: str) -> None:
        for n in range(500):
            file.add_record(LogRecord(AT, "INFO", name, f"{n}", None))

    with writing(path) as file:
        speakers = [threading.Thread(target=speak, args=(file, f"s{i}")) for i in range(8)]
        for speaker in speakers:
            speaker.start()
        for speaker in speakers:
            speaker.join()

    said = [each.split()[-2:] for each in path.read_text().splitlines()]
    for i in range(8):
        assert [n for name, n in said if name == f"s{i}:"] == [f"{n}" for n in range(500)]
    assert file.dropped == 0


def test_a_full_disk_is_told_once_and_what_is_missing_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "log"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with writing(path) as file:
        file.add_lines(ORIGIN, [line("before")])
        eventually(lambda: path.exists() and path.read_bytes().endswith(b"\n"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, hard))
        try:
            file.add_lines(ORIGIN, [line("lost")] * 3)
            eventually(lambda: file.dropped == 3 and file.trouble is not None)
            assert file.trouble == "File too large"
            file.add_lines(ORIGIN, [line("lost")] * 2)
            eventually(lambda: file.dropped == 5)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        eventually(lambda: file.trouble is None)
        file.add_lines(ORIGIN, [line("after")])

    said = [each.partition(": ")[2] for each in path.read_text().splitlines()]
    assert said == [
        "before",
        "5 lines are missing here: they could not be written in time",
        "after",
    ]
    own = [record for record in caplog.records if record.name.endswith(".log_file")]
    told = [record.getMessage() for record in own if record.levelno >= logging.WARNING]
    assert told == [
        f"the log file {path} cannot be written: File too large; lines are dropped until it can",
        f"the log file {path} is written again; 5 lines have been dropped since the start",
    ]


class Gated(RotatingFile):
    """A file on a disk that hangs until it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, LARGE, 5)
        self.gate = threading.Event()

    def append(self, lines: Sequence[bytes]) -> None:
        self.gate.wait(BOUND)
        super().append(lines)


def test_whoever_leaves_lines_never_waits_for_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "log"
    disk = Gated(path)
    file = LogFile(disk, lambda record: f"{record.message}\n".encode())
    file.start()
    flood = [line(f"{n:06d}" + "." * 10_000) for n in range(1000)]

    begun = time.monotonic()
    for _ in range(5):
        file.add_lines(ORIGIN, flood)
    assert time.monotonic() - begun < BOUND / 4

    disk.gate.set()
    file.stop()
    said = path.read_text().splitlines()
    missing = [each for each in said if "missing here" in each]
    assert len(missing) == 1, "what does not fit is dropped"
    assert missing[0].startswith(f"{file.dropped:,} lines")
    assert len(said) - 1 + file.dropped == 5000


def test_what_waits_is_written_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with writing(path) as file:
        for n in range(1000):
            file.add_lines(ORIGIN, [line(f"{n}")])

    assert len(path.read_text().splitlines()) == 1000
