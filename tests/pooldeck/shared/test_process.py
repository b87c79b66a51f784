"""The process that keeps shared state: who reaches it, and what its death and others' deaths do."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Client
from pathlib import Path

import psutil
import pytest

from pooldeck.access import Access
from pooldeck.context import CurrentTask, current_task, enter
from pooldeck.marks import marked
from pooldeck.shared.errors import SharedLostError, SharedUnavailableError
from tests.support.marked_processes import lives, wait_until
from tests.support.programs import started
from tests.support.sharing import BOUND, Kept, acquire, add, kept, release


def _as_a_task(call: Callable[[], object]) -> object:
    """Run a call in a thread of its own, as the task of a thread worker."""
    found: list[object] = []

    def run() -> None:
        _begin_a_task("first")
        try:
            found.append(call())
        except Exception as error:  # noqa: BLE001 - returned
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(BOUND)
    return found[0]


def _begin_a_task(name: str) -> None:
    reporter = current_task().reporter
    enter(CurrentTask(reporter, id=name, attempt=1, function="f", pool="p", worker="w"))


def _kill(state: Kept) -> None:
    """Kill the process, and wait until another has taken its place."""
    before, losses = state.process.pid, state.losses
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: state.losses > losses and state.process.pid != before)


def test_one_that_somebody_stops_goes_on_with_what_it_keeps() -> None:
    with kept() as state:
        worker = state.worker("io-1")
        add(worker, 3)
        os.kill(state.process.pid, signal.SIGSTOP)
        assert _as_a_task(lambda: add(worker, 4)) == 7
        assert state.losses == 0


def test_threads_and_processes_lose_no_increment() -> None:
    with kept() as state:
        worker = state.worker("io-1")
        source = "n = shared.counter('n')\nfor _ in range(2000): n.add()"
        programs = [subprocess.Popen(state.program(source)) for _ in range(2)]
        threads = [
            threading.Thread(target=lambda: [add(worker) for _ in range(1000)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [program.wait() for program in programs] == [0, 0]
        assert add(worker, 0) == 8000


def test_nothing_is_unpickled_there() -> None:
    """Who has the key and sends a pickle is told off; what is in it is not made."""

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, ("touch exploded",)

    with kept() as state, Client(state.access.address, authkey=state.access.key) as line:
        line.send_bytes(pickle.dumps((None, "dummy", (Bomb(),), {})))
        answer = line.recv_bytes()
        assert b"#TRACEBACK" in answer
        assert b"DecodeError" in answer
        assert not Path(f"/proc/{state.process.pid}/cwd/exploded").exists()


def test_whoever_lacks_the_key_is_turned_away_and_holds_up_nobody() -> None:
    with kept() as state:
        stranger = Kept(Access(state.access.address, b"another key"))
        silent = socket.socket(socket.AF_UNIX)
        silent.connect(state.access.address)
        with silent, pytest.raises(SharedUnavailableError, match="another run of the server"):
            stranger.worker("cpu-1").call("identify")
        assert add(state.worker("cpu-1")) == 1


def test_the_key_is_neither_in_the_environment_nor_on_the_command_line() -> None:
    with kept() as state:
        process = psutil.Process(state.process.pid)
        told = " ".join([*process.cmdline(), *process.environ().values()])
        assert state.access.address not in told
        assert "key=..." in repr(state.access)
        assert process.pid in marked(state.boot)


def test_a_task_that_used_the_state_is_told_of_its_loss_and_others_notice_nothing() -> None:
    with kept() as state:
        worker = state.worker("io-1")

        def use_twice() -> int:
            add(worker)
            _kill(state)
            return add(worker)

        assert isinstance(_as_a_task(use_twice), SharedLostError)
        assert _as_a_task(lambda: add(worker)) == 1
        assert state.losses == 1


def test_a_thread_that_used_it_for_an_earlier_task_begins_anew() -> None:
    with kept() as state:
        worker = state.worker("io-1")

        def two_tasks() -> int:
            add(worker, 5)
            _kill(state)
            _begin_a_task("second")
            return add(worker)

        assert _as_a_task(two_tasks) == 1


def test_a_lock_is_free_as_soon_as_the_process_that_held_it_is_dead() -> None:
    with kept() as state:
        holds = "shared.lock('l').acquire()\nprint('held', flush=True)\ninput()"
        with started(
            state.program(holds), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as program:
            assert program.stdout is not None
            program.stdout.readline()
            worker = state.worker("io-1")
            assert not acquire(worker)
            program.kill()
            assert acquire(worker, BOUND)
            release(worker)


def test_a_lock_is_free_when_its_worker_has_ended_though_a_grandchild_keeps_the_connection() -> (
    None
):
    with kept() as state:
        holds = (
            "import os\nshared.lock('l').acquire()\nos.fork() or input()\nprint('held')\ninput()"
        )
        worker = state.worker("io-1")
        with started(
            state.program(holds, "cpu-3"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        ) as program:
            wait_until(lambda: bool(psutil.Process(program.pid).children()))
            (grandchild,) = psutil.Process(program.pid).children()
            program.kill()
            assert not acquire(worker, 0.2)
            worker.call("release_worker", "cpu-3")
            assert acquire(worker, 0)
            grandchild.kill()


def test_a_forked_child_has_a_line_of_its_own() -> None:
    source = """
import os
n = shared.counter("n")
n.add()
pid = os.fork()
for _ in range(500):
    n.add()
if not pid:
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
print(n.value)
"""
    with kept() as state:
        done = subprocess.run(state.program(source), capture_output=True, text=True, check=True)
    assert done.stdout == "1001\n"


def test_an_interrupted_question_does_not_leave_its_answer_to_the_next() -> None:
    source = """
import signal
def ring(*_): raise InterruptedError("rang")
signal.signal(signal.SIGALRM, ring)
other = shared.lock("l")
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    print(other.acquire())
except InterruptedError as error:
    print(error)
print(shared.counter("n").add(7))
"""
    with kept() as state:
        worker = state.worker("io-1")
        assert acquire(worker)
        done = subprocess.run(state.program(source), capture_output=True, text=True, check=False)
        release(worker)
    assert done.stdout.splitlines()[-1:] == ["7"], done


def test_it_ends_with_its_server_however_that_dies(tmp_path: Path) -> None:
    source = f"""
import asyncio
from pooldeck.access import Access
from pooldeck.shared.host import StateProcess

async def serve():
    process = StateProcess("none", Access({str(tmp_path / "s")!r}, b"key"), print)
    await process.start()
    print(process.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(serve())
"""
    with started([sys.executable, "-c", source], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        assert lives(pid)
        server.kill()
        wait_until(lambda: not lives(pid))
