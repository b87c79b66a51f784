"""What a task says just before its worker dies is not lost, however that ends."""

from pathlib import Path

import pytest

from pooldeck.outcome import ErrorKind
from pooldeck.protocol import Call, LogLine
from tests.support.pooled import EACH_KIND, eventually, pool

MODULES = ("said_functions",)
LAST_WORDS = {
    ("INFO", "stdout", "step 1"),
    ("ERROR", "root", "no space left on the disk"),
    ("WARNING", "stderr", "giving up"),
    ("INFO", "output", "solver: the matrix is singular"),
    ("INFO", "stdout", "helper"),
    ("INFO", "stdout", "half a line"),
}

pytestmark = pytest.mark.usefixtures("buffered")


@pytest.fixture
def buffered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take out what would hide that C code's output is buffered."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


def final(lines: list[LogLine]) -> list[tuple[str, str, str]]:
    """Return the lines of a log as they stand in the end, in order."""
    latest = {line.n: line for line in lines}
    assert not any(line.is_open for line in latest.values())
    assert list(latest) == sorted(latest)
    assert sorted(latest) == list(range(1, len(latest) + 1)), "no number is missing"
    return [(line.level, line.source, line.message) for line in latest.values()]


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@EACH_KIND
async def test_last_words_survive_every_end_of_a_worker(kind: str, tmp_path: Path) -> None:
    async with pool(kind, 1, modules=MODULES, folder=tmp_path) as listener:
        for end in ("abort", "segfault", "kill", "exit", "os._exit"):
            listener.call(end, "said_functions.dies", end)
            assert (await listener.error(end)).kind is ErrorKind.CRASHED
            assert set(final(listener.lines[end])) == LAST_WORDS, end
    assert not files_in(tmp_path)


@EACH_KIND
async def test_what_was_heard_before_is_not_told_again(kind: str, tmp_path: Path) -> None:
    async with pool(kind, 1, modules=MODULES, folder=tmp_path) as listener:
        listener.call("a", "said_functions.dies", "abort", 0.6)
        await listener.error("a")
    closed = [line for line in listener.lines["a"] if not line.is_open]
    assert len(closed) == len(LAST_WORDS)
    assert set(final(listener.lines["a"])) == LAST_WORDS


async def test_half_a_line_is_kept_when_a_task_is_killed_for_its_timeout(tmp_path: Path) -> None:
    async with pool("process", 1, modules=MODULES, folder=tmp_path) as listener:
        listener.call("a", "said_functions.asks", timeout=0.3)
        assert (await listener.error("a")).kind is ErrorKind.TIMEOUT
    latest = {line.n: line.message for line in listener.lines["a"]}
    assert sorted(latest.values()) == ["connecting ...", "from below ..."]


async def test_beside_others_the_last_output_is_in_the_workers_own_log(tmp_path: Path) -> None:
    async with pool("thread", 2, modules=MODULES, folder=tmp_path) as listener:
        await listener.running("a", "said_functions.asks")
        listener.call("b", "said_functions.dies", "kill")
        await listener.outcome("b")
        await listener.outcome("a")
    python_said = {line for line in LAST_WORDS if line[1] != "output"}
    assert set(final(listener.lines["b"])) == python_said
    own = {line.message for line in listener.own_lines}
    assert "solver: the matrix is singular" in " ".join(own)


async def test_an_abandoned_attempt_says_nothing_in_the_log_of_the_next(tmp_path: Path) -> None:
    async with pool("thread", 2, modules=MODULES, folder=tmp_path) as listener:
        listener.call("a", "said_functions.asks", timeout=0.3)
        await listener.outcome("a")
        await eventually(lambda: any(not line.is_open for line in listener.lines["a"]))
        listener.outcomes.clear()
        listener.lines.clear()
        listener.waiting.append(Call("a", 2, "said_functions.dies", b'["kill"]', b"{}"))
        listener.has_room()
        await listener.outcome("a")
    python_said = {line for line in LAST_WORDS if line[1] != "output"}
    assert set(final(listener.lines["a"])) == python_said


@EACH_KIND
async def test_a_flood_before_a_death_leaves_its_last_words(kind: str, tmp_path: Path) -> None:
    async with pool(kind, 1, modules=MODULES, folder=tmp_path) as listener:
        listener.call("a", "said_functions.floods_and_dies", 50_000)
        await listener.outcome("a")
    lines = listener.lines["a"]
    assert lines[0].message == "row 0"
    assert lines[-1].message == "row 49999"
    assert lines[-1].n == 50_000
