"""Where there is no pidfd for a worker: its end is noticed, whoever its parent is."""

import os
import subprocess
import sys
import threading

import psutil

from pooldeck.marks_elsewhere import wait_for_end
from tests.support.pooled import BOUND

CHILD = [sys.executable, "-c", "input()"]
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"])
print(child.pid, flush=True)
child.wait()
"""


def test_a_child_is_waited_for_and_its_status_is_left_to_be_taken() -> None:
    child = subprocess.Popen(CHILD, stdin=subprocess.PIPE)
    waiting = waiter(child.pid)
    assert waiting.is_alive()
    child.communicate(b"\n")
    waiting.join(BOUND)
    assert not waiting.is_alive()
    assert child.returncode == 0


def test_a_process_that_another_one_started_is_waited_for_too() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    waiting = waiter(pid)
    waiting.join(0.2)
    assert waiting.is_alive()
    assert psutil.pid_exists(pid)
    parent.communicate(b"\n")
    waiting.join(BOUND)
    assert not waiting.is_alive()
    assert not psutil.pid_exists(pid)


def test_a_process_that_is_gone_already_is_not_waited_for() -> None:
    child = subprocess.Popen(CHILD, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.waitpid(child.pid, 0)
    child.returncode = 0
    wait_for_end(child.pid)


def waiter(pid: int) -> threading.Thread:
    thread = threading.Thread(target=wait_for_end, args=(pid,), daemon=True)
    thread.start()
    return thread
