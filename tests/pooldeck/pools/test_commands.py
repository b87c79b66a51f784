"""Commands in a real pool: ended for real in threads, too, whoever wants their end."""

import time
from pathlib import Path

from pooldeck.commands import Command
from pooldeck.functions import Options
from pooldeck.kinds import Ending, PoolKind
from pooldeck.outcome import ErrorKind
from tests.support.marked_processes import lives
from tests.support.pooled import EACH_KIND, Listener, eventually, pool

SLEEP = Command(("sh", "-c", "{script}"), Options(name="commands.sh"), grace_seconds=0.2)
STUBBORN = Command(("sh", "-c", "{script}"), Options(name="commands.stubborn"), grace_seconds=2.0)
COMMANDS = (SLEEP, STUBBORN)


def family(folder: Path) -> str:
    """Return a script whose processes, one of them in a session of its own, leave their ids."""
    return f"setsid sleep 600 & echo $! >{folder}/2; echo $$ >{folder}/1; exec sleep 600"


async def pids(folder: Path) -> list[int]:
    """Wait for a family to be there, and return its ids."""
    file = folder / "1"
    await eventually(lambda: file.exists() and file.read_text().endswith("\n"))
    return [int((folder / name).read_text()) for name in "12"]


@EACH_KIND
async def test_an_overdue_command_is_not_abandoned(kind: PoolKind, tmp_path: Path) -> None:
    async with pool(kind, 2, commands=COMMANDS) as listener:
        listener.call("1", "commands.sh", family(tmp_path), timeout=2)
        family_ids = await pids(tmp_path)
        error = await listener.error("1")

        assert error.kind is ErrorKind.TIMEOUT
        assert not any(map(lives, family_ids))
        await _goes_on(listener)


async def test_a_command_has_its_grace_before_its_slot_is_given_up() -> None:
    async with pool("thread", 1, commands=COMMANDS) as listener:
        script = "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.05; done"
        listener.call("1", "commands.stubborn", script, timeout=0.3)
        error = await listener.error("1")

        assert error.cause is not None, "it was ended by its own thread"
        assert not listener.ended_late
        await _goes_on(listener)


@EACH_KIND
async def test_a_command_that_is_killed_is_really_stopped(kind: PoolKind, tmp_path: Path) -> None:
    async with pool(kind, 2, commands=COMMANDS) as listener:
        await listener.running("1", "commands.sh", family(tmp_path))
        family_ids = await pids(tmp_path)

        ways = {"thread": Ending.COMMAND_ENDED, "process": Ending.WORKER_ENDED}
        assert listener.pool.kill("1") is ways[kind]
        outcome = await listener.outcome("1")

        assert outcome.cancelled
        await eventually(lambda: not any(map(lives, family_ids)))
        assert not listener.deaths
        await _goes_on(listener)


@EACH_KIND
async def test_a_command_goes_with_its_worker(kind: PoolKind, tmp_path: Path) -> None:
    async with pool(kind, 1, commands=COMMANDS) as listener:
        worker = await listener.running("1", "commands.sh", family(tmp_path))
        family_ids = await pids(tmp_path)

        listener.pool.kill_worker(worker)

        await eventually(lambda: not any(map(lives, family_ids)))


async def test_commands_side_by_side_wait_side_by_side() -> None:
    async with pool("thread", 8, commands=COMMANDS) as listener:
        await _goes_on(listener)
        begun = time.monotonic()
        for n in range(8):
            listener.call(f"{n}", "commands.sh", "sleep 1")
        await eventually(lambda: listener.has_outcomes(9))

        assert time.monotonic() - begun < 5.0


async def _goes_on(listener: Listener) -> None:
    """Check that the pool still runs commands."""
    listener.call("next", "commands.sh", "echo fine")
    assert (await listener.result("next"))["stdout"] == "fine\n"
