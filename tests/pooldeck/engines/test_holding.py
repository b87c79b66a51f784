"""An agent holds one host process, which outlives it, and says why it ended."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from pooldeck.engines.holding import Holding, HostFailed, HostHeld
from pooldeck.engines.port import HostTask
from pooldeck.hosts.presence import HostPlace
from tests.support.marked_processes import lives, new_boot, wait_until

_TOKEN = "a-secret-that-hosts-have"


def task_of(deck: str, term: int = 1, silence: float = 30.0) -> HostTask:
    """Return a task for hosts of a server that is not there: they dial it again and again."""
    return HostTask(deck, term, "big", "127.0.0.1:9", _TOKEN, "0", silence=silence)


@pytest.fixture
async def deck() -> AsyncIterator[str]:
    """A deck of one's own; its host processes end with the test."""
    deck = f"deck{new_boot()}"
    yield deck
    for process in psutil.process_iter(["cmdline"]):
        if any(argument.startswith(f"{deck}-") for argument in process.info["cmdline"] or ()):
            with suppress(psutil.NoSuchProcess):
                process.resume()
                process.terminate()
                await asyncio.to_thread(process.wait, 20)


def host_of(deck: str, name: str = "host-a") -> psutil.Process:
    """Return the host process of a place."""
    [found] = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(HostPlace.of(deck, "big", name).stem) in (process.info["cmdline"] or ())
    ]
    return found


@asynccontextmanager
async def held(
    task: HostTask,
    name: str = "host-a",
    has: Mapping[str, float] | None = None,
    dropped: frozenset[str] = frozenset(),
) -> AsyncIterator[Holding]:
    """Hold a host process for the time of the block; it goes on after it."""
    holding = Holding(task, name, has or {}, dropped)
    await holding.begin()
    try:
        yield holding
    finally:
        holding.release()


async def test_the_host_process_has_a_session_of_its_own_and_only_what_it_needs(deck: str) -> None:
    async with held(task_of(deck), has={"gpu": 2}, dropped=frozenset({"LANG", "HOME"})):
        process = host_of(deck)

        assert os.getsid(process.pid) == process.pid
        environment = process.environ()
        assert "HOME" not in environment
        assert environment["POOLDECK_TOKEN"] == _TOKEN
        assert "--has=gpu=2" in process.cmdline()
        assert not any(_TOKEN in argument for argument in process.cmdline())


async def test_it_outlives_its_agent_and_the_next_one_finds_it(deck: str) -> None:
    async with held(task_of(deck)) as first:
        pid = host_of(deck).pid
    async with held(task_of(deck)) as second:
        assert host_of(deck).pid == pid
        assert [first.is_adopted, second.is_adopted] == [False, True]

        with pytest.raises(HostHeld, match="another agent holds the host host-a"):
            await Holding(task_of(deck), "host-a", {}, frozenset()).begin()


async def test_the_agent_hears_why_it_ended(deck: str) -> None:
    async with held(task_of(deck)) as holding:
        host_of(deck).terminate()
        assert "SIGTERM" in await holding.until_end()

    async with held(task_of(deck)) as holding:
        assert not holding.is_adopted
        host_of(deck).kill()
        assert await holding.until_end() == "the host process died"


async def test_one_of_an_earlier_run_of_the_server_makes_way(deck: str) -> None:
    async with held(task_of(deck, term=1)):
        earlier = host_of(deck).pid
    async with held(task_of(deck, term=2)) as holding:
        assert not holding.is_adopted
        assert host_of(deck).pid != earlier
        assert not lives(earlier)


async def test_one_that_does_not_answer_is_killed(deck: str) -> None:
    async with held(task_of(deck, silence=0.4)) as holding:
        stopped = host_of(deck)
        stopped.suspend()
        assert "did not answer" in await holding.until_end()
        await asyncio.to_thread(wait_until, lambda: not lives(stopped.pid))


async def test_why_none_can_be_started_is_told_in_its_own_last_words(deck: str) -> None:
    with pytest.raises(HostFailed, match=r"exit code 1: .*'-' is no name of a host"):
        await Holding(task_of(deck), "-", {}, frozenset()).begin()


async def test_its_files_are_out_of_the_reach_of_others(deck: str) -> None:
    async with held(task_of(deck)):
        folder = HostPlace.of(deck, "big", "host-a").stem.parent

        assert folder.stat().st_mode & 0o777 == 0o700
        assert len(os.fsencode(HostPlace.of("d" * 60, "p" * 60, "n" * 60).socket)) < 100


async def test_a_folder_of_somebody_else_is_not_used(
    deck: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"pooldeck-agents-{os.getuid()}").symlink_to(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    with pytest.raises(HostFailed, match="belongs to somebody else"):
        await Holding(task_of(deck), "host-a", {}, frozenset()).begin()
