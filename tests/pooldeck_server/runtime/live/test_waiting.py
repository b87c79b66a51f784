"""Why a task waits that a pool holds up which has no workers, or has claimed it ahead of time."""

from pathlib import Path

import pytest

from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.domain.tasks.waiting import Help, TaskWait, WaitReason
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.text.waiting import waiting_words
from tests.support.deployed import Deployment
from tests.support.engine import call, engine, eventually, outcome

_ROUNDS = 20
_FERRY = """
    import os, pathlib, time
    is_late = os.environ["POOLDECK_WORKER"].startswith("late")
    while is_late and not pathlib.Path({word!r}).exists():
        time.sleep(0.01)
    if is_late:
        raise RuntimeError(pathlib.Path({word!r}).read_text())
    @task(pool="late")
    def cross(): ...
"""
_POOLS = {
    "late": {"kind": "process", "size": 1, "spare": 0},
    "io": {"kind": "thread", "size": 1},
}


async def _why(server: Server, task: str) -> TaskWait:
    found = server.waiting.of(await server.tasks.get(task))
    assert found is not None
    return found


async def test_a_pool_that_starts_says_so_and_one_that_breaks_says_how_to_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment, word = Deployment(tmp_path / "code", monkeypatch), tmp_path / "word"
    deployment.write("ferry", _FERRY.format(word=str(word)))
    async with engine(tmp_path, functions=("ferry",), pools=_POOLS) as server:
        task = (await server.intake.submit(Submission("ferry.cross"))).task.id
        why = await _why(server, task)
        assert (why.reason, why.help) == (WaitReason.STARTING, None)
        assert waiting_words(why) == "The pool late starts: none of its workers is ready yet."
        word.write_text("no ferry today")
        await eventually(lambda: server.health.pool("late").state == "broken")
        why = await _why(server, task)
        assert (why.reason, why.help) == (WaitReason.BROKEN, Help.RESTART_POOL)
        assert waiting_words(why).startswith("The pool late is broken")


async def test_a_task_that_is_claimed_ahead_of_a_free_slot_is_said_to_be_next(
    tmp_path: Path,
) -> None:
    here = tmp_path / "here"
    here.touch()
    async with engine(tmp_path) as server:
        for _ in range(_ROUNDS):  # which are short, and so are those after them, for all it knows
            await outcome(server, await _submitted(server, here))
        # On a busy machine one of them may look too long to be claimed ahead for.
        found = [await _behind_another(server, tmp_path, n) for n in range(5)]
        why = next(each for each in found if each.reason is WaitReason.CLAIMED)
        assert why.help is Help.SEE_RUNNING
        assert waiting_words(why) == "It goes to the next slot of the pool cpu that is free."


async def _behind_another(server: Server, folder: Path, number: int) -> TaskWait:
    """Return why a task waits that is submitted while another keeps the only slot."""
    flag = folder / f"flag-{number}"
    tasks = [await _submitted(server, flag) for _ in range(2)]
    why = await _why(server, tasks[1])
    flag.touch()
    for each in tasks:
        await outcome(server, each)
    return why


async def _submitted(server: Server, path: Path) -> str:
    return (await server.intake.submit(call("wait_for", str(path), pool="cpu"))).task.id
