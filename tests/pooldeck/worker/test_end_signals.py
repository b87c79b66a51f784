"""Signals that ask a worker to end: it tells its supervisor, and goes on until that decides."""

import os
import signal
from pathlib import Path

import pytest

from pooldeck.end_signals import END_SIGNALS
from pooldeck.protocol import Started
from tests.support.driven import DrivenWorker

KINDS = pytest.mark.parametrize("kind", ["process", "thread"])
SOURCE = """
    import asyncio, ctypes, multiprocessing, signal, subprocess, time

    @task
    def nap(seconds):
        began = time.monotonic()
        time.sleep(seconds)
        return time.monotonic() - began >= seconds

    @task
    def deadlock():
        libc, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
        libc.pthread_mutex_lock(mutex)
        libc.pthread_mutex_lock(mutex)

    @task
    def terminated():
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
        child.start()
        child.terminate()
        child.join(30)
        return child.exitcode

    @task
    def state_of_child():
        done = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True)
        lines = dict(line.split(":", 1) for line in done.stdout.splitlines())
        return {name: int(lines[name], 16) for name in ("SigBlk", "SigIgn", "SigCgt")}

    @task
    def take_for_itself():
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)

    @task
    def take_only_what_python_writes_to():
        signal.set_wakeup_fd(-1)

    @task
    def in_a_loop(seconds):
        async def main():
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, print)
            print("taken", flush=True)
            await asyncio.sleep(seconds)
        asyncio.run(main())
        return "done"
"""


@KINDS
@pytest.mark.parametrize("number", sorted(END_SIGNALS))
def test_a_signal_that_asks_to_end_is_told_and_ends_nothing(
    tmp_path: Path, kind: str, number: int
) -> None:
    with DrivenWorker(tmp_path, SOURCE, kind=kind) as worker:
        task = worker.submit("nap", 0.5)
        worker.hear_of(task, Started)
        os.kill(worker.process.pid, number)
        assert worker.signals_told() == {number}
        assert worker.report(task).result is True
        assert worker.stop() == 0


@KINDS
def test_a_signal_is_told_while_c_code_holds_the_gil(tmp_path: Path, kind: str) -> None:
    with DrivenWorker(tmp_path, SOURCE, kind=kind) as worker:
        worker.hear_of(worker.submit("deadlock"), Started)
        os.kill(worker.process.pid, signal.SIGTERM)
        assert worker.signals_told() == {signal.SIGTERM}


@KINDS
def test_what_a_task_forks_is_ended_by_a_signal_that_is_not_told_of_its_worker(
    tmp_path: Path, kind: str
) -> None:
    with DrivenWorker(tmp_path, SOURCE, kind=kind) as worker:
        for _ in range(5):
            assert worker.run("terminated").result == -signal.SIGTERM
        os.kill(worker.process.pid, signal.SIGHUP)
        assert worker.signals_told() == {signal.SIGHUP}


@KINDS
def test_a_program_that_a_task_starts_neither_ignores_nor_blocks_the_signals(
    tmp_path: Path, kind: str
) -> None:
    with DrivenWorker(tmp_path, SOURCE, kind=kind) as worker:
        for mask in worker.run("state_of_child").result.values():
            assert [number for number in END_SIGNALS if mask >> (number - 1) & 1] == []


def test_what_a_task_takes_of_the_signals_is_taken_back_after_it(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, SOURCE) as worker:
        worker.run("take_for_itself")
        task = worker.submit("nap", 0.3)
        worker.hear_of(task, Started)
        os.kill(worker.process.pid, signal.SIGTERM)
        assert worker.signals_told() == {signal.SIGTERM}
        assert worker.report(task).result is True


def test_what_python_writes_signals_to_is_taken_back_where_a_task_took_only_that(
    tmp_path: Path,
) -> None:
    with DrivenWorker(tmp_path, SOURCE) as worker:
        worker.run("take_only_what_python_writes_to")
        worker.hear_of(worker.submit("deadlock"), Started)
        os.kill(worker.process.pid, signal.SIGTERM)
        assert worker.signals_told() == {signal.SIGTERM}


def test_a_signal_is_told_while_a_task_has_an_event_loop_that_takes_signals(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, SOURCE) as worker:
        task = worker.submit("in_a_loop", 0.5)
        while ("stdout", "taken") not in worker.so_far(task).said:
            worker.hear()
        os.kill(worker.process.pid, signal.SIGTERM)
        assert worker.signals_told() == {signal.SIGTERM}
        assert worker.report(task).result == "done"
