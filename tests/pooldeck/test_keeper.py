"""However a server dies, what it started is gone within seconds, and its keeper is kept alive."""

import asyncio
import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pooldeck.keeper import Keeper
from pooldeck.marks import READY, marked, moment
from tests.support.marked_processes import (
    FAMILY,
    HOLD_THE_GIL,
    WAIT,
    descriptors,
    lives,
    marks,
    new_boot,
    process,
    said,
    wait_until,
)

# A server with two workers. They inherit whatever may be inherited, the line to the keeper not.
_SERVER = """
import asyncio, os, subprocess, sys
from pooldeck.keeper import Keeper

async def serve(boot, *programs):
    keeper = Keeper(boot)
    await keeper.start()
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "POOLDECK_BOOT": boot, "POOLDECK_WORKER": f"cpu-{number}"},
            stdout=subprocess.PIPE, start_new_session=True, close_fds=False,
        )
        for number, program in enumerate(programs)
    ]
    for worker in workers:
        worker.stdout.readline()
    print(keeper.pid, flush=True)
    await asyncio.sleep(600)

"""


def _server(boot: str, *programs: str) -> str:
    arguments = ", ".join(map(repr, [boot, *programs]))
    return f"{_SERVER}asyncio.run(serve({arguments}))"


def _kept(check: Callable[[Keeper], Awaitable[None]], boot: str | None = None) -> None:
    """Run a check while this process has a keeper, and let the keeper go."""

    async def run() -> None:
        keeper = Keeper(boot or new_boot())
        await keeper.start()
        try:
            await check(keeper)
        finally:
            await keeper.stop()

    asyncio.run(run())


async def _replacement(keeper: Keeper, dead: int) -> int:
    await asyncio.to_thread(wait_until, lambda: keeper.pid != dead)
    return keeper.pid


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_nothing_outlives_a_server_that_dies(number: signal.Signals) -> None:
    boot = new_boot()
    with process(_server(boot, HOLD_THE_GIL, FAMILY), dict(os.environ)) as server:
        keeper = int(said(server))
        assert len(marked(boot)) == 3  # a worker in C code, one that waits, a grandchild
        server.send_signal(number)
        wait_until(lambda: not lives(keeper))
        assert marked(boot) == []


def test_a_keeper_ends_what_it_keeps_at_the_moment_that_it_was_told_last() -> None:
    boot = new_boot()

    async def check(keeper: Keeper) -> None:
        begun = moment()
        assert keeper.extend(begun + 0.1)
        assert keeper.extend(begun + 0.4)
        await asyncio.to_thread(wait_until, lambda: not lives(worker.pid))
        assert moment() - begun >= 0.4
        with process(WAIT, marks(boot)) as late:  # and what begins after it
            await asyncio.to_thread(wait_until, lambda: not lives(late.pid))

    with process(WAIT, marks(boot)) as worker:
        said(worker)
        _kept(check, boot)


def test_a_keeper_in_place_of_another_knows_until_when_it_keeps() -> None:
    boot = new_boot()

    async def check(keeper: Keeper) -> None:
        assert keeper.extend(moment() + 1.5)
        first = keeper.pid
        os.kill(first, signal.SIGKILL)
        await _replacement(keeper, first)
        assert lives(worker.pid)
        await asyncio.to_thread(wait_until, lambda: not lives(worker.pid))

    with process(WAIT, marks(boot)) as worker:
        said(worker)
        _kept(check, boot)


def test_a_keeper_that_is_gone_cannot_be_told() -> None:
    async def check(keeper: Keeper) -> None:
        os.kill(keeper.pid, signal.SIGKILL)
        await asyncio.to_thread(wait_until, lambda: not lives(keeper.pid))
        assert not keeper.extend(moment() + 60)

    _kept(check)


def test_a_keeper_that_died_is_replaced_and_the_other_one_keeps(
    caplog: pytest.LogCaptureFixture,
) -> None:
    boot = new_boot()

    async def check(keeper: Keeper) -> None:
        first = keeper.pid
        os.kill(first, signal.SIGKILL)
        second = await _replacement(keeper, first)
        assert (lives(first), lives(second)) == (False, True)

    with caplog.at_level(logging.WARNING), process(WAIT, marks(boot)) as worker:
        said(worker)
        _kept(check, boot)
        assert not lives(worker.pid)
    assert "died; another takes its place" in caplog.text


def test_a_keeper_that_somebody_stops_goes_on_by_itself() -> None:
    async def check(keeper: Keeper) -> None:
        os.kill(keeper.pid, signal.SIGSTOP)
        is_stopped = psutil.Process(keeper.pid).status
        await asyncio.to_thread(wait_until, lambda: is_stopped() != psutil.STATUS_STOPPED)

    _kept(check)


def test_a_stopped_keeper_holds_up_no_end() -> None:
    boot = new_boot()

    async def check(keeper: Keeper) -> None:
        os.kill(keeper.pid, signal.SIGSTOP)

    with process(WAIT, marks(boot)) as left:
        said(left)
        begun = time.monotonic()
        _kept(check, boot)
        assert time.monotonic() - begun < 10.0  # it was 15 until it was killed
        assert not lives(left.pid)


@pytest.mark.soak
def test_a_companion_that_hangs_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    class Hanging(Keeper):
        def command(self, descriptor: int) -> list[str]:
            source = f"import os, time; os.write({descriptor}, b'r'); time.sleep(600)"
            return ["-c", source]

    async def run() -> None:
        companion = Hanging(new_boot())
        await companion.start()
        first = companion.pid
        assert await _replacement(companion, first) != first
        os.kill(companion.pid, signal.SIGKILL)
        await companion.stop()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert "does not answer and is killed" in caplog.text


def test_a_keeper_that_is_let_go_sweeps_and_has_ended() -> None:
    boot = new_boot()
    pids: list[int] = []

    async def check(keeper: Keeper) -> None:
        pids.append(keeper.pid)

    with process(WAIT, marks(boot)) as left:
        said(left)
        _kept(check, boot)
        assert not lives(left.pid)
        assert not psutil.pid_exists(pids[0])  # and it was waited for


def _keepers(boot: str) -> set[int]:
    found = set()
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # it ends just now
            if boot in child.cmdline():
                found.add(child.pid)
    return found


def test_a_keeper_can_be_let_go_before_its_replacement_is_begun() -> None:
    boot = new_boot()

    async def check(keeper: Keeper) -> None:
        os.kill(keeper.pid, signal.SIGKILL)
        await asyncio.to_thread(wait_until, lambda: not lives(keeper.pid))

    _kept(check, boot)
    assert not _keepers(boot)


def test_a_keeper_can_be_let_go_while_its_replacement_starts() -> None:
    boot = new_boot()

    async def check(keeper: Keeper) -> None:
        first = keeper.pid
        os.kill(first, signal.SIGKILL)
        # The other one says some 20 ms after it can be seen that it watches.
        await asyncio.to_thread(wait_until, lambda: bool(_keepers(boot) - {first}))

    _kept(check, boot)
    assert not _keepers(boot)


def test_signals_that_ask_a_server_to_end_do_not_end_its_keeper() -> None:
    async def check(keeper: Keeper) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(keeper.pid, number)
        with pytest.raises(AssertionError):
            await asyncio.to_thread(wait_until, lambda: not lives(keeper.pid), 0.3)
        assert os.getsid(keeper.pid) == keeper.pid  # and a terminal's signals do not reach it

    _kept(check)


def test_a_server_inside_a_worker_has_a_keeper_without_the_outer_marks() -> None:
    """Else the sweep for the outer one would end it before it has done its own."""
    outer, inner = new_boot(), new_boot()
    with process(_server(inner, WAIT), marks(outer)) as server:
        keeper = int(said(server))
        assert marked(outer) == [server.pid]
        assert keeper not in marked(inner)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="what a process holds is read in /proc")
def test_a_keeper_holds_nothing_of_the_server() -> None:
    async def check(keeper: Keeper) -> None:
        of = Path(f"/proc/{keeper.pid}")
        assert (of / "cwd").readlink() == Path("/")
        held = {str(path.readlink()) for path in (of / "fd").iterdir()}
        line = {name for name in held if name.startswith("socket:")}
        assert held - line == {"/dev/null"}
        assert len(line) == 1

    _kept(check)


def test_a_keeper_that_does_not_start_is_told_at_once() -> None:
    program = f"""
import asyncio, sys
from pooldeck.keeper import Keeper
sys.executable = {shutil.which("false")!r}
try:
    asyncio.run(Keeper("boot").start())
except OSError as error:
    print(error, flush=True)
"""
    with process(program, dict(os.environ)) as server:
        assert said(server).startswith("The keeper did not start (exit code 1).")


def test_keepers_leave_no_descriptor_open() -> None:
    async def check(keeper: Keeper) -> None:
        os.kill(keeper.pid, signal.SIGKILL)
        await _replacement(keeper, keeper.pid)

    before = descriptors()
    _kept(check)
    assert descriptors() == before


def test_user_code_has_no_way_into_a_keeper(tmp_path: Path) -> None:
    """PYTHONPATH is where workers find it, and is in the server's environment."""
    ran = tmp_path / "ran"
    source = f"import sys; print(sys.orig_argv, file=open({str(ran)!r}, 'a'))"
    (tmp_path / "sitecustomize.py").write_text(source)
    boot = new_boot()
    with process(_server(boot, WAIT), {**os.environ, "PYTHONPATH": str(tmp_path)}) as server:
        keeper = int(said(server))
        assert str(psutil.Process(keeper).cmdline()) not in ran.read_text().splitlines()
        assert len(ran.read_text().splitlines()) == 2  # the server and its worker
        server.kill()
        wait_until(lambda: not lives(keeper))


def test_a_signal_to_a_keeper_while_it_starts_does_not_end_it() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = Keeper(new_boot())._popen(theirs.fileno())
        process.send_signal(signal.SIGTERM)
        theirs.close()
        ours.settimeout(30)
        assert ours.recv(1) == READY
    assert process.wait(30) == 0
