"""Where a running call is: shown at once, from the user's code on, without disturbing it."""

import os
import time
from pathlib import Path

import pytest

from pooldeck.protocol import STACK_SIGNAL, Limits, Look, Stack, Started
from tests.support.driven import DrivenWorker, wait_until

KINDS = pytest.mark.parametrize("kind", ["process", "thread"])

SLEEPERS = """
    import asyncio, ctypes, threading, time

    def inner():
        threading.Event().wait()

    @task
    def outer():
        inner()

    @task
    def dive(depth):
        return dive(depth - 1) if depth else inner()

    async def sleep_inside():
        await asyncio.sleep(60)

    @task
    async def wait():
        await sleep_inside()

    @task
    async def block():
        inner()

    @task
    def in_c(library, seconds):
        return getattr(ctypes, library)(None).sleep(seconds)

    @task
    def in_c_elsewhere(seconds):
        left = []
        thread = threading.Thread(target=lambda: left.append(in_c("CDLL", seconds)))
        thread.start()
        thread.join()
        return left
"""


def stack_of(worker: DrivenWorker, task: str, inside: str) -> str:
    """Look until the call has come to the function `inside`."""

    def found() -> str | None:
        worker.control(Look(task))
        text = worker.hear_of(task, Stack).text
        return text if text and f"in {inside}" in text else None

    return wait_until(found)


@KINDS
def test_a_stack_shows_the_users_functions_and_their_lines(tmp_path: Path, kind: str) -> None:
    with DrivenWorker(tmp_path, SLEEPERS, kind=kind) as worker:
        text = stack_of(worker, worker.submit("outer"), "inner")
    first, line, second, *_ = text.splitlines()
    assert first.endswith("in outer")
    assert line.strip() == "inner()"
    assert second.endswith("in inner")
    assert "pooldeck" not in text


@KINDS
def test_the_stack_of_a_waiting_async_function_shows_what_it_waits_for(
    tmp_path: Path, kind: str
) -> None:
    with DrivenWorker(tmp_path, SLEEPERS, kind=kind) as worker:
        text = stack_of(worker, worker.submit("wait"), "sleep_inside")
    coroutines, loop = text.split("in its event loop:\n")
    assert coroutines.index("in wait") < coroutines.index("in sleep_inside")
    assert "in select" in loop


def test_the_stack_of_an_async_function_that_blocks_is_its_threads(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, SLEEPERS) as worker:
        text = stack_of(worker, worker.submit("block"), "inner")
    assert text.splitlines()[0].endswith("in block")
    assert "event loop" not in text


def test_the_stack_of_each_of_several_threads_is_its_own(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, SLEEPERS, kind="thread", slots=2) as worker:
        outer, block = worker.submit("outer"), worker.submit("block")
        assert "in block" not in stack_of(worker, outer, "inner")
        assert "in outer" not in stack_of(worker, block, "inner")


def test_a_deep_stack_is_bounded_and_keeps_both_ends(tmp_path: Path) -> None:
    limits = Limits(traceback_bytes=2000)
    with DrivenWorker(tmp_path, SLEEPERS, limits=limits) as worker:
        task = worker.submit("dive", 500)
        text = stack_of(worker, task, "inner")
    assert "in dive" in text.splitlines()[0]
    assert len(text) < 2100


def test_what_does_not_run_has_no_stack(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, SLEEPERS) as worker:
        worker.run("in_c", "CDLL", 0)
        for task in ("task-1", "unknown"):
            worker.control(Look(task))
            assert worker.hear() == Stack(task, None)


@KINDS
@pytest.mark.parametrize(("function", "library"), [("in_c", ["CDLL"]), ("in_c_elsewhere", [])])
def test_looking_does_not_cut_a_system_call_short(
    tmp_path: Path, kind: str, function: str, library: list[str]
) -> None:
    with DrivenWorker(tmp_path, SLEEPERS, kind=kind) as worker:
        task = worker.submit(function, *library, 3)
        stack_of(worker, task, function)
        wait_until(lambda: dump_with(worker, "in in_c"))
        assert worker.report(task).result in (0, [0])  # what C's sleep says was left


@KINDS
def test_a_signal_shows_the_stack_while_c_code_holds_the_gil(tmp_path: Path, kind: str) -> None:
    with DrivenWorker(tmp_path, SLEEPERS, kind=kind) as worker:
        task = worker.submit("in_c", "PyDLL", 6)
        started = worker.hear_of(task, Started)
        asked_at = time.monotonic()
        text = wait_until(lambda: dump_with(worker, "in in_c"))
        assert time.monotonic() - asked_at < 5.5
        assert f"0x{started.ident:016x} (most recent call first)" in text
        assert worker.report(task).result == 0


def dump_with(worker: DrivenWorker, words: str) -> str | None:
    os.kill(worker.process.pid, STACK_SIGNAL)
    text = worker.stacks.read_text()
    return text if words in text else None
