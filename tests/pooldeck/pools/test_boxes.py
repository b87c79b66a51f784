"""A living pool reads the box of a worker that has died."""

import array
import asyncio
import fcntl
import os
import signal
import sys
import termios
import time
from pathlib import Path

import psutil
import pytest

from pooldeck.black_box import MARK_BYTES, DamagedError, Manifest, read
from pooldeck.pools.boxes import Boxes
from tests.support.pooled import BOUND, eventually, pool

SIZE = 30_000  # characters of a result: an end of which a box keeps, and a pipe holds seven
MANY = 12  # calls, of which eight go to the worker at once
MARK = bytes(MARK_BYTES)


@pytest.mark.skipif(sys.platform != "linux", reason="it looks at what waits in the pipes")
async def test_an_end_that_a_killed_worker_noted_and_could_not_send_is_how_the_call_ended(
    tmp_path: Path,
) -> None:
    Manifest(tmp_path).begin("the boxes of a test")
    async with pool("process", 1, boxes=Boxes(tmp_path, MARK)) as listener:
        worker = await listener.running("first", "add", 1, 1)
        await listener.outcome("first")
        [pid] = [each.pid for each in listener.pool.workers.values()]
        listener.all_quick = True
        for n in range(MANY):
            listener.call(str(n), "long_text", SIZE)
        await asyncio.sleep(0)  # in this turn of the loop they are sent
        box = tmp_path / f"{worker}.box"
        noted = kill_when_it_has_noted_more_than_sent(pid, box, worker)  # nobody reads meanwhile
        await eventually(lambda: listener.has_outcomes(1 + MANY))

        assert [await listener.result(str(n)) for n in range(MANY)] == MANY * [SIZE * "x"]
        ran_there = {n for n in range(MANY) if listener.workers[str(n)] == worker}
        assert ran_there == set(range(noted))  # the others had not begun, and ran in the next one


def kill_when_it_has_noted_more_than_sent(pid: int, box: Path, worker: str) -> int:
    """Kill a worker between the note of an end and its sending; return how many calls ended."""
    until = time.monotonic() + BOUND
    while True:
        assert time.monotonic() < until, "its pipe is never full"
        os.kill(pid, signal.SIGSTOP)
        while psutil.Process(pid).status() != psutil.STATUS_STOPPED:
            time.sleep(0.001)
        ended = ends_in(box, worker)
        if ended * SIZE > unread_bytes() and ended < MANY:
            os.kill(pid, signal.SIGKILL)
            return ended
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.01)


def ends_in(box: Path, worker: str) -> int:
    """Return how many of the many calls have ended; none while one is under way."""
    try:
        calls = read(box, worker, MARK).calls.values()
    except DamagedError:  # it is just being written
        return 0
    is_under_way = any(call.end is None for call in calls)
    return 0 if is_under_way else len(calls) - 1


def unread_bytes() -> int:
    """Return what waits in the fullest pipe of this process."""
    waiting = array.array("i", [0])
    most = 0
    for pipe in psutil.Process().net_connections("unix"):
        fcntl.ioctl(pipe.fd, termios.FIONREAD, waiting)
        most = max(most, waiting[0])
    return most
