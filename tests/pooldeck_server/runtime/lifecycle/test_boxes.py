"""Boxes are believed only if they are whole, and of this database, this run and this machine."""

import os
import resource
import signal
from pathlib import Path
from typing import Final

import msgspec
import pytest
from msgspec.structs import replace

from pooldeck.black_box import ALIGNMENT, REGION_HEADER, Begun, Manifest
from pooldeck.outcome import Error, ErrorKind, Outcome
from pooldeck.protocol import HEADER_BYTES, Finished, frame
from pooldeck.worker.black_box import BlackBox, Region
from pooldeck_server.runtime.lifecycle.boxes import (
    BoxesLeft,
    BoxesOwner,
    begin_boxes,
    boxes_left,
)

DATABASE: Final = "a database"
RUN: Final = "the run before"
CUT_OFF: Final = Begun("cut-off", 1, 5.0, None)
ENDED: Final = Begun("ended", 3, 4.0, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder where two workers of two pools have left their boxes."""
    mark = begin_boxes(tmp_path, DATABASE, RUN)
    for worker in ("cpu-1", "io-2"):
        box = BlackBox(str(tmp_path / f"{worker}.box"), mark, is_alone=True)
        Manifest(tmp_path).ready(worker)
        region = box.region()
        if worker == "cpu-1":
            run(region, ENDED, 1)
            region.begin(CUT_OFF)
    return tmp_path


def run(region: Region, begun: Begun, number: int, result: bytes = b"7") -> None:
    region.begin(begun)
    finished = Finished(begun.task, Outcome(result))
    region.end(number, frame(finished)[HEADER_BYTES:], finished.outcome)


def left_in(folder: Path) -> BoxesLeft:
    return boxes_left(folder, DATABASE, {"an earlier run", RUN})


def test_what_had_begun_and_what_had_ended_is_known_after_the_workers_are_gone(
    folder: Path,
) -> None:
    left = left_in(folder)

    ended, cut_off = left.find("ended", 3), left.find("cut-off", 1)
    assert ended is not None
    assert isinstance(ended.end, Finished)
    assert (ended.worker, ended.begun, ended.end.outcome.result) == ("cpu-1", ENDED, b"7")
    assert cut_off is not None
    assert (cut_off.begun, cut_off.end) == (CUT_OFF, None)
    assert left.find("ended", 2) is None
    assert left.has_all("cpu")
    assert left.has_all("io")


def test_a_box_that_is_missing_leaves_its_pool_in_doubt_and_no_other(folder: Path) -> None:
    (folder / "cpu-1.box").unlink()

    assert not left_in(folder).has_all("cpu")
    assert left_in(folder).has_all("io")


def test_a_box_of_a_worker_that_is_gone_is_not_missed(folder: Path) -> None:
    (folder / "cpu-1.box").unlink()
    Manifest(folder).gone("cpu-1")

    assert left_in(folder).has_all("cpu")


@pytest.mark.parametrize("at", [0, 5, ALIGNMENT + REGION_HEADER, ALIGNMENT + REGION_HEADER + 12])
def test_a_box_with_a_byte_changed_leaves_its_pool_in_doubt(folder: Path, at: int) -> None:
    path = folder / "cpu-1.box"
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)

    assert not left_in(folder).has_all("cpu")
    assert left_in(folder).has_all("io")


@pytest.mark.parametrize("size", [0, 10, ALIGNMENT - 1, ALIGNMENT + 100])
def test_a_box_that_is_cut_leaves_its_pool_in_doubt(folder: Path, size: int) -> None:
    path = folder / "cpu-1.box"
    path.write_bytes(path.read_bytes()[:size])

    assert not left_in(folder).has_all("cpu")


def test_nothing_is_believed_of_another_database(folder: Path) -> None:
    left = boxes_left(folder, "a copy of it", {RUN})

    assert left.find("ended", 3) is None
    assert not left.has_all("cpu")


def test_nothing_is_believed_after_a_start_of_the_machine(folder: Path) -> None:
    forge(folder, machine="before the power cut")

    assert left_in(folder).find("ended", 3) is None
    assert not left_in(folder).has_all("io")


def test_a_box_of_another_run_is_not_believed(folder: Path) -> None:
    forge(folder, mark=b"another run's ..")

    assert left_in(folder).find("ended", 3) is None
    assert not left_in(folder).has_all("cpu")


def test_nothing_is_believed_in_an_older_copy_of_the_database(folder: Path) -> None:
    left = boxes_left(folder, DATABASE, {"an earlier run"})

    assert left.find("ended", 3) is None
    assert not left.has_all("cpu")


@pytest.mark.parametrize("text", [b"", b"no list\n", b"{}\n", b"\xff\n"])
def test_nothing_is_believed_without_a_list_of_the_boxes(folder: Path, text: bytes) -> None:
    (folder / Manifest.NAME).write_bytes(text)

    assert not left_in(folder).has_all("cpu")


def test_an_end_that_is_too_long_is_known_without_what_came_out(folder: Path) -> None:
    mark = msgspec.json.decode(Manifest(folder).head(), type=BoxesOwner).mark
    region = BlackBox(str(folder / "cpu-3.box"), mark, is_alone=False).region()
    run(region, Begun("long", 1, 1.0, None), 1, b'"' + 100_000 * b"a" + b'"')

    found = left_in(folder).find("long", 1)

    assert found is not None
    assert found.end is not None
    assert not isinstance(found.end, Finished)
    assert (found.end.what, found.end.size > 100_000) == ("result", True)


def test_what_is_on_record_leaves_nothing_in_the_box(folder: Path) -> None:
    mark = msgspec.json.decode(Manifest(folder).head(), type=BoxesOwner).mark
    path = folder / "cpu-3.box"
    box = BlackBox(str(path), mark, is_alone=True)
    region = box.region()
    for number in range(1, 100):
        run(region, Begun(f"task-{number}", 1, 1.0, None), number, b'"a secret"')
    assert b"a secret" in path.read_bytes()

    box.commit(99)

    assert b"a secret" not in path.read_bytes()
    assert b"task-" not in path.read_bytes()
    assert left_in(folder).has_all("cpu")


def test_a_call_that_runs_stays_in_the_box_whatever_is_on_record(folder: Path) -> None:
    mark = msgspec.json.decode(Manifest(folder).head(), type=BoxesOwner).mark
    box = BlackBox(str(folder / "cpu-3.box"), mark, is_alone=True)
    region = box.region()
    run(region, ENDED, 1)
    region.begin(Begun("it runs", 1, 1.0, None))

    box.commit(1)

    assert left_in(folder).find("it runs", 1) is not None


def test_a_box_that_had_to_forget_what_is_not_on_record_says_so(folder: Path) -> None:
    mark = msgspec.json.decode(Manifest(folder).head(), type=BoxesOwner).mark
    box = BlackBox(str(folder / "cpu-3.box"), mark, is_alone=False)
    region = box.region()
    for number in range(1, 3000):
        run(region, Begun(f"task-{number}", 1, 1.0, None), number)
    assert left_in(folder).find("task-2999", 1) is not None
    assert not left_in(folder).has_all("cpu")

    box.commit(2999)

    assert left_in(folder).has_all("cpu")


def forge(folder: Path, **what: object) -> None:
    """Let the list of the boxes say something else of whose they are."""
    head, _, rest = (folder / Manifest.NAME).read_text().partition("\n")
    owner = replace(msgspec.json.decode(head, type=BoxesOwner), **what)
    (folder / Manifest.NAME).write_text(f"{msgspec.json.encode(owner).decode()}\n{rest}")


def test_nothing_is_believed_once_a_line_could_not_be_added_to_the_list(folder: Path) -> None:
    list_of_boxes = folder / Manifest.NAME
    size = list_of_boxes.stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 3, limits[1]))  # as on a full disk
        Manifest(folder).ready("cpu-3")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    Manifest(folder).ready("cpu-4")  # there is room again

    assert not left_in(folder).has_all("io")


def test_a_pipe_in_the_place_of_a_box_is_not_waited_for(folder: Path) -> None:
    (folder / "io-2.box").unlink()
    os.mkfifo(folder / "io-2.box")

    assert not left_in(folder).has_all("io")
    assert left_in(folder).has_all("cpu")


def test_the_longest_type_of_an_error_fits_beside_a_begin(folder: Path) -> None:
    mark = msgspec.json.decode(Manifest(folder).head(), type=BoxesOwner).mark
    region = BlackBox(str(folder / "cpu-3.box"), mark, is_alone=False).region()
    error = Error(ErrorKind.EXCEPTION, "e" * 500, "m" * 100_000)
    for number in range(1, 400):
        outcome = Outcome(error=error)
        region.begin(Begun(f"task-{number}", 1, 1.0, None))
        region.end(number, frame(Finished("t", outcome))[HEADER_BYTES:], outcome)
        region.commit(number - 1)

    assert left_in(folder).find("task-399", 1) is not None
