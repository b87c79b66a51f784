"""The examples do what they say, as the ordinary functions that they are."""

import json
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from examples import by_reference, computing, failures, files, pictures, samples, warehouse, web
from examples.site import slow_site
from tests.support.discovered import discover

CONFIGURATION = tomllib.loads(Path(samples.__file__).with_name("pooldeck.toml").read_text())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with the samples in it, and no connection to any other."""
    samples.write_samples(tmp_path / "examples" / "data", chapters=2)
    monkeypatch.chdir(tmp_path)
    warehouse.connect.discard()
    yield tmp_path
    warehouse.connect.discard()


def test_every_example_can_be_submitted_and_says_what_it_does() -> None:
    functions = [function.spec for function in discover(CONFIGURATION["functions"]).values()]

    assert len(functions) == 15
    for spec in functions:
        assert spec.problem is None, spec.name
        assert spec.doc, spec.name
        assert spec.options.pool in CONFIGURATION["pools"], spec.name
        assert not spec.schema.get("required"), f"{spec.name} can be tried without typing anything"


def test_samples_are_the_same_on_every_machine(folder: Path) -> None:
    checksums = files.hash_folder()
    samples.write_samples(folder / "again", chapters=2)

    assert files.hash_folder("again") == checksums


def test_hash_folder_finds_what_sha256sum_would(folder: Path) -> None:
    (folder / "few" / "deep").mkdir(parents=True)
    (folder / "few" / "deep" / "empty").touch()

    assert files.hash_folder("few") == {
        "deep/empty": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    }


@pytest.mark.usefixtures("folder")
def test_compress_folder_packs_every_file_and_not_its_own_archive() -> None:
    before = files.hash_folder()

    files.compress_folder()
    again = files.compress_folder()

    with zipfile.ZipFile(again["archive"]) as archive:
        assert set(archive.namelist()) == set(before)
        assert archive.testzip() is None
    assert again["files"] == len(before)
    assert again["bytes_after"] < again["bytes_before"]


@pytest.mark.usefixtures("folder")
def test_a_folder_that_is_missing_is_named() -> None:
    with pytest.raises(NotADirectoryError, match="absent is no folder"):
        files.hash_folder("absent")


@pytest.mark.parametrize(
    ("limit", "count", "largest"),
    [
        (-1, 0, 0),
        (0, 0, 0),
        (2, 0, 0),
        (3, 1, 2),
        (11, 4, 7),
        (12, 5, 11),
        (10**6, 78_498, 999_983),
    ],
)
def test_primes_counts_those_below_its_limit(limit: int, count: int, largest: int) -> None:
    assert computing.primes(limit) == {"count": count, "largest": largest}


def test_count_words_returns_the_most_frequent_first(folder: Path) -> None:
    (folder / "short.txt").write_text("Pool deck pool\nlane POOL deck\n")

    assert list(computing.count_words("short.txt", top=2).items()) == [("pool", 3), ("deck", 2)]


def test_fetch_pages_fetches_each_page_and_waits_for_it() -> None:
    fetched = web.fetch_pages(count=3, latency=0.02)

    assert fetched["pages"] == 3
    assert fetched["bytes"] == 3 * len("<title>Page /1</title>")
    assert fetched["seconds"] >= 3 * 0.02


def test_the_slow_site_is_gone_when_nobody_needs_it() -> None:
    with slow_site(0) as address:
        assert web._fetch(f"{address}/x") > 0

    with pytest.raises(OSError, match="refused"):
        web._fetch(f"{address}/x")


def test_resize_image_keeps_proportions(folder: Path) -> None:
    Image.new("RGB", (400, 100), "navy").save(folder / "wide.png")

    resized = pictures.resize_image("wide.png", width=200, target="small/wide.png")

    assert (resized["width"], resized["height"]) == (200, 50)
    with Image.open("small/wide.png") as picture:
        assert picture.size == (200, 50)


@pytest.mark.usefixtures("folder")
def test_resize_image_draws_a_picture_where_none_is_given() -> None:
    resized = pictures.resize_image(width=64)

    assert Path(resized["target"]).stat().st_size == resized["bytes"] > 0


def test_resize_image_says_so_where_pillow_is_missing(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['PIL'] = None;"
        "from examples import pictures; pictures.resize_image()"
    )

    completed = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert completed.stderr.endswith(
        "RuntimeError: Pillow is missing: pip install 'pooldeck[images]'\n"
    )


@pytest.mark.usefixtures("folder")
def test_query_orders_returns_the_best_customers_first() -> None:
    customers = warehouse.query_orders(at_least=90, top=3)

    totals = [customer["total"] for customer in customers]
    assert len(totals) == 3
    assert totals == sorted(totals, reverse=True)
    assert all(total >= 90 * customers[i]["orders"] for i, total in enumerate(totals))


@pytest.mark.usefixtures("folder")
def test_a_worker_has_one_connection_to_the_warehouse() -> None:
    assert warehouse.connect() is warehouse.connect()


def test_an_empty_warehouse_is_said_before_any_task_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    warehouse.connect.discard()

    with pytest.raises(FileNotFoundError, match=r"python -m examples\.samples"):
        warehouse.connect()


def test_divide_divides_and_raises_for_zero() -> None:
    assert failures.divide(1, 4) == 0.25
    with pytest.raises(ZeroDivisionError):
        failures.divide()


def test_flaky_fails_as_often_as_it_is_told_to() -> None:
    assert failures.flaky(failure_rate=0) == "got through"
    with pytest.raises(ConnectionError):
        failures.flaky(failure_rate=1)


def test_chatty_prints_and_logs_each_line(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="examples.failures")

    assert failures.chatty(lines=3) == 3

    assert capsys.readouterr().out.splitlines() == [f"printed line {n}" for n in (1, 2, 3)]
    said = [record.getMessage() for record in caplog.records if record.name == failures.__name__]
    assert said == ["line 1 of 3", "line 2 of 3", "line 3 of 3", "that was all"]


def test_crash_ends_its_process_with_the_code_it_was_given(tmp_path: Path) -> None:
    program = "from examples import failures; failures.crash(7)"

    completed = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)

    assert completed.returncode == 7


def test_words_are_counted_from_one_address_to_another_and_no_draft_is_left(folder: Path) -> None:
    (folder / "text").write_text("to be or not to be")
    target = f"file://{folder}/counts.json"

    assert by_reference.count_words(f"file://{folder}/text", target) == target
    assert json.loads((folder / "counts.json").read_text()) == {"to": 2, "be": 2, "or": 1, "not": 1}
    assert [path.name for path in folder.glob("counts*")] == ["counts.json"]
