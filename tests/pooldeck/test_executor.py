"""What `ProcessPool` promises beyond the standard library's executor, and where it must not differ.

What it shares with `ProcessPoolExecutor` is held by the standard library's own tests, in
`test_executor_contract.py`.
"""

import asyncio
import gc
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import psutil
import pytest

from pooldeck.executor import ProcessPool
from tests.functions import executor_functions as functions

BOUND = 120.0  # seconds that anything may take
LARGE = 40 * 1024 * 1024
CONTEXTS = pytest.mark.parametrize("context", ["spawn", "forkserver"])


@pytest.fixture(autouse=True)
def no_main_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the workers the import of pytest, the program that they come from."""
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After each test there are no more threads, processes and files than before."""
    folder = Path(tempfile.mkdtemp())  # a short path: a forkserver has its socket in there
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    threads = threading.active_count()
    yield
    gc.collect()
    eventually(lambda: threading.active_count() == threads)
    assert [child for child in multiprocessing.active_children() if "pool" in child.name] == []
    assert list(folder.glob("pooldeck-*")) == []


def eventually(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + BOUND
    while not is_so():
        assert time.monotonic() < until, "it did not come to be"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def pid_in(path: Path) -> int:
    eventually(lambda: path.exists() and path.read_text() != "")
    return int(path.read_text())


def started(method: str) -> BaseContext:
    return multiprocessing.get_context(method)


# Crashes.


@CONTEXTS
@pytest.mark.parametrize(
    ("function", "argument", "cause"),
    [
        (functions.die, signal.SIGKILL, "killed by SIGKILL"),
        (functions.die, signal.SIGABRT, "killed by SIGABRT"),
        (functions.leave, 0, "exited with code 0"),
        (functions.leave, 3, "exited with code 3"),
    ],
)
def test_a_crash_costs_one_call(
    context: str, function: Callable[[int], None], argument: int, cause: str, tmp_path: Path
) -> None:
    with ProcessPool(2, started(context)) as pool:
        other = pool.submit(functions.say_pid, str(tmp_path / "pid"), str(tmp_path / "gate"))
        pid = pid_in(tmp_path / "pid")
        with pytest.raises(BrokenProcessPool, match=cause):
            pool.submit(function, argument).result(BOUND)
        later = [pool.submit(functions.work) for _ in range(4)]
        assert pid not in {future.result(BOUND) for future in later}
        assert not other.done()
        (tmp_path / "gate").touch()
        assert other.result(BOUND) == pid


def test_a_segfault_comes_with_the_python_traceback() -> None:
    with ProcessPool(1) as pool:
        error = pool.submit(functions.segfault).exception(BOUND)
        assert isinstance(error, BrokenProcessPool)
        assert "killed by SIGSEGV" in str(error)
        assert "in segfault" in str(error.__cause__)


def test_a_worker_that_is_killed_from_outside_while_idle_is_replaced() -> None:
    with ProcessPool(1) as pool:
        pid = pool.submit(functions.work).result(BOUND)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: [worker.pid for worker in pool.workers()] != [pid])
        assert pool.submit(functions.work).result(BOUND) != pid


# What cannot travel.


def test_what_a_call_raises_comes_with_the_remote_traceback_as_its_cause() -> None:
    with ProcessPool(1) as pool:
        error = pool.submit(functions.raise_value_error).exception(BOUND)
    assert isinstance(error, ValueError)
    assert error.args == ("no such value",)
    said = str(error.__cause__)
    assert "in raise_value_error" in said
    assert "KeyError: 'the cause of it'" in said
    assert "worker.py" not in said, "only the user's own frames"


@pytest.mark.parametrize(
    ("function", "kind", "words"),
    [
        (functions.raise_two_arguments, BrokenProcessPool, "could not be unpickled"),
        (functions.raise_no_pickle, Exception, "this stays where it is"),
        (functions.make_lambda, Exception, "<lambda>"),
        (functions.exits_when_unpickled, BrokenProcessPool, "SystemExit"),
    ],
)
def test_what_cannot_come_back_fails_that_call_only(
    function: Callable[[], Any], kind: type[Exception], words: str
) -> None:
    with ProcessPool(1) as pool:
        before = pool.submit(functions.work).result(BOUND)
        error = pool.submit(function).exception(BOUND)
        assert isinstance(error, kind)
        assert words in str(error)
        assert pool.submit(functions.work).result(BOUND) == before, "the worker goes on"


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (functions.raise_two_arguments, "TwoArguments: first"),
        (functions.raise_no_pickle, "the original words"),
    ],
)
def test_an_exception_that_cannot_travel_is_still_told_in_its_own_words(
    function: Callable[[], Any], words: str
) -> None:
    with ProcessPool(1) as pool:
        error = pool.submit(function).exception(BOUND)
    assert error is not None
    assert words in str(error.__cause__)


def test_what_cannot_be_sent_fails_that_call_only() -> None:
    with ProcessPool(1) as pool:
        pid = pool.submit(functions.work).result(BOUND)
        error = pool.submit(lambda: None).exception(BOUND)
        assert "lambda" in str(error)
        unread = pool.submit(id, functions.ExitsWhenUnpickled()).exception(BOUND)
        assert isinstance(unread, BrokenProcessPool)
        assert "could not be unpickled in the worker" in str(unread)
        assert pool.submit(functions.work).result(BOUND) == pid


def test_what_is_larger_than_a_frame_travels_and_leaves_no_file(tmp_path: Path) -> None:
    with ProcessPool(1) as pool:
        assert pool.submit(functions.size_of, bytes(LARGE)).result(BOUND) == LARGE
        assert len(pool.submit(functions.zeros, LARGE).result(BOUND)) == LARGE
        blocker = pool.submit(functions.say_pid, str(tmp_path / "pid"), str(tmp_path / "gate"))
        assert pool.submit(functions.size_of, bytes(LARGE)).cancel()
        (tmp_path / "gate").touch()
        blocker.result(BOUND)
        pool.submit(functions.work).result(BOUND)
        [folder] = Path(tempfile.gettempdir()).glob("pooldeck-*")
        assert [path for path in folder.iterdir() if path.stat().st_size > LARGE] == []


# Timeouts, kills, sizes.


@CONTEXTS
def test_a_call_that_takes_longer_than_its_timeout_is_ended_with_its_worker(
    context: str, tmp_path: Path
) -> None:
    with ProcessPool(1, started(context)) as pool:
        pool.submit(functions.work).result(BOUND)  # what is imported first takes time of the call
        late = pool.with_timeout(1.5).submit(functions.spin, str(tmp_path / "pid"))
        with pytest.raises(TimeoutError, match=r"1\.5 s"):
            late.result(BOUND)
        assert not is_alive(pid_in(tmp_path / "pid"))
        assert pool.with_timeout(BOUND).submit(pow, 2, 5).result(BOUND) == 32


def test_a_timeout_counts_from_the_start_of_the_call_and_not_while_it_waits() -> None:
    with ProcessPool(1) as pool:
        first = pool.submit(functions.work, 1.0)
        second = pool.with_timeout(0.9).submit(functions.work)
        assert second.result(BOUND) == first.result(BOUND)


def test_each_chunk_of_a_map_has_the_timeout() -> None:
    with ProcessPool(1) as pool:
        pool.submit(functions.work).result(BOUND)
        results = pool.with_timeout(1.0).map(functions.work, [0.0, 600.0])
        assert isinstance(next(results), int)
        with pytest.raises(TimeoutError):
            next(results)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_timeout_is_a_positive_number(seconds: float) -> None:
    with pytest.raises(ValueError, match="positive number of seconds"):
        ProcessPool(1).with_timeout(seconds)


def test_a_running_call_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    with ProcessPool(2) as pool:
        victim = pool.submit(functions.leave_a_child, str(tmp_path / "child"))
        child = pid_in(tmp_path / "child")
        assert pool.kill(victim)
        with pytest.raises(CancelledError):
            victim.result(BOUND)
        eventually(lambda: not is_alive(child))
        assert not pool.kill(victim)
        assert pool.submit(pow, 2, 5).result(BOUND) == 32


def test_killing_a_call_that_waits_cancels_it(tmp_path: Path) -> None:
    with ProcessPool(1) as pool:
        pool.submit(functions.say_pid, str(tmp_path / "pid"), str(tmp_path / "gate"))
        waiting = pool.submit(functions.say_pid, str(tmp_path / "never"))
        assert pool.kill(waiting)
        assert waiting.cancelled()
        (tmp_path / "gate").touch()
    assert not (tmp_path / "never").exists()


def test_calls_of_other_pools_are_not_touched() -> None:
    foreign: Future[None] = Future()
    with ProcessPool(1) as pool:
        assert not pool.kill(foreign)
        assert pool.submit(pow, 2, 5).result(BOUND) == 32
        assert not pool.kill(foreign)
    assert not foreign.cancelled()


def test_a_future_is_running_only_when_a_worker_has_its_call(tmp_path: Path) -> None:
    with ProcessPool(1) as pool:
        first = pool.submit(functions.say_pid, str(tmp_path / "pid"), str(tmp_path / "gate"))
        second = pool.submit(functions.work)
        pid_in(tmp_path / "pid")
        assert first.running()
        assert not second.running()
        (tmp_path / "gate").touch()
        assert second.result(BOUND) == first.result()


def test_workers_start_as_they_are_needed_and_a_resize_changes_how_many(tmp_path: Path) -> None:
    gate = str(tmp_path / "gate")
    with ProcessPool(1) as pool:
        assert pool.workers() == []
        calls = [pool.submit(functions.say_pid, str(tmp_path / str(n)), gate) for n in range(3)]
        pid_in(tmp_path / "0")
        assert len(pool.workers()) == 1
        pool.resize(3)
        pids = {pid_in(tmp_path / str(n)) for n in range(3)}
        assert {worker.pid for worker in pool.workers()} == pids
        pool.resize(1)
        assert not any(call.done() for call in calls), "what runs goes on"
        Path(gate).touch()
        assert {call.result(BOUND) for call in calls} == pids
        eventually(lambda: len(pool.workers()) == 1)
        assert pool.submit(functions.work).result(BOUND) in pids


def test_workers_say_what_they_do(tmp_path: Path) -> None:
    with ProcessPool(1) as pool:
        call = pool.submit(functions.say_pid, str(tmp_path / "pid"), str(tmp_path / "gate"))
        pid = pid_in(tmp_path / "pid")
        eventually(lambda: pool.workers()[0].elapsed is not None)
        [worker] = pool.workers()
        assert (worker.pid, worker.state, worker.function) == (pid, "busy", "say_pid")
        assert worker.elapsed is not None
        assert 0 <= worker.elapsed < BOUND
        (tmp_path / "gate").touch()
        call.result(BOUND)
        [worker] = pool.workers()
        assert (worker.state, worker.calls_done, worker.function) == ("idle", 1, None)
    assert pool.workers() == []


def test_a_worker_is_replaced_after_its_number_of_calls() -> None:
    with ProcessPool(1, max_tasks_per_child=2) as pool:
        pids = [pool.submit(functions.work).result(BOUND) for _ in range(5)]
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


def test_a_backlog_goes_through_workers_that_are_replaced_all_the_time() -> None:
    with ProcessPool(2, max_tasks_per_child=1) as pool:
        futures = [pool.submit(functions.work) for _ in range(8)]
        assert len({future.result(BOUND) for future in futures}) == 8


# Initializers.


@CONTEXTS
def test_locks_and_queues_reach_the_workers_through_the_initializer(context: str) -> None:
    made_by = started(context)
    semaphore, queue = made_by.Semaphore(2), made_by.SimpleQueue()
    with ProcessPool(1, made_by, functions.remember, (semaphore, queue)) as pool:
        taken = [pool.submit(functions.count_up).result(BOUND) for _ in range(3)]
        assert taken == [1, 1, 0]
        assert queue.get() == pool.submit(functions.work).result(BOUND)


@pytest.mark.parametrize(
    ("initializer", "initargs", "words"),
    [
        (functions.refuse, (), "the warehouse is closed"),
        (functions.leave, (7,), "exited with code 7"),
        (functions.remember, (threading.Lock(),), "cannot pickle"),
    ],
)
def test_a_pool_whose_workers_cannot_start_is_broken_and_says_why(
    initializer: Callable[..., object], initargs: tuple[Any, ...], words: str
) -> None:
    with ProcessPool(1, initializer=initializer, initargs=initargs) as pool:
        with pytest.raises(BrokenProcessPool, match=words):
            pool.submit(functions.work).result(BOUND)
        assert words in (pool.broken or "")
        with pytest.raises(BrokenProcessPool, match=words):
            pool.submit(functions.work)


@pytest.mark.parametrize("context", ["fork", None])
def test_a_context_that_forks_is_refused(context: str | None) -> None:
    if multiprocessing.get_context(context).get_start_method() != "fork":
        pytest.skip("this platform does not fork by default")
    with pytest.raises(ValueError, match="does not fork"):
        ProcessPool(1, multiprocessing.get_context(context))


# The end.


def test_after_a_shutdown_calls_are_refused_and_those_before_it_have_ended() -> None:
    pool = ProcessPool(2)
    futures = [pool.submit(functions.work, 0.05) for _ in range(8)]
    pool.shutdown()
    assert all(future.done() for future in futures)
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(functions.work)
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(functions.size_of, bytes(LARGE))
    assert not pool.kill(futures[0])
    pool.resize(4)
    pool.shutdown()


def test_a_shutdown_waits_for_what_calls_have_left_running_in_their_workers(tmp_path: Path) -> None:
    with ProcessPool(1) as pool:
        pool.submit(functions.linger, str(tmp_path / "late"), 3.0).result()
    assert (tmp_path / "late").exists()


def test_a_pool_that_was_never_used_starts_nothing() -> None:
    threads = threading.active_count()
    pool = ProcessPool(2)
    assert threading.active_count() == threads
    pool.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(functions.work)


def test_a_forgotten_pool_finishes_its_calls_and_leaves_nothing() -> None:
    pool = ProcessPool(2)
    futures = [pool.submit(functions.work, 0.1) for _ in range(4)]
    pids = {worker.pid for worker in pool.workers()}
    del pool
    gc.collect()
    assert len(wait(futures, BOUND).done) == 4
    assert all(future.exception() is None for future in futures)
    eventually(lambda: not any(is_alive(pid) for pid in pids))


def test_callbacks_may_use_the_pool() -> None:
    with ProcessPool(2) as pool:
        endless = pool.submit(functions.work, 600)
        eventually(endless.running)
        seen: Future[tuple[int, bool]] = Future()

        def look(_: object) -> None:
            seen.set_result((len(pool.workers()), pool.kill(endless)))

        pool.submit(functions.work).add_done_callback(look)
        assert seen.result(BOUND) == (2, True)


def test_it_serves_asyncio() -> None:
    async def story() -> list[int]:
        loop = asyncio.get_running_loop()
        with ProcessPool(2) as pool:
            timed = pool.with_timeout(BOUND)
            return [
                await loop.run_in_executor(pool, pow, 2, 5),
                await loop.run_in_executor(timed, pow, 2, 6),
            ]

    assert asyncio.run(story()) == [32, 64]
