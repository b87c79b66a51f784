"""What is seen of processes from outside: also what their other threads do."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from pooldeck_server.runtime.live.sampler import Sampler

_SWITCHES = 200
_WAITS_IN_A_THREAD = f"""
import sys, threading, time
def wait():
    sys.stdin.readline()
    for _ in range({_SWITCHES}):
        time.sleep(0.0001)
    print("done", flush=True)
    sys.stdin.readline()
thread = threading.Thread(target=wait)
thread.start()
print("ready", flush=True)
thread.join()
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only /proc tells of threads")
def test_context_switches_of_all_threads_count() -> None:
    command = [sys.executable, "-c", _WAITS_IN_A_THREAD]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        sampler = Sampler()
        process.stdout.readline()
        began = time.monotonic()
        sampler.refresh([process.pid])
        process.stdin.write("go\n")
        process.stdout.readline()
        sampler.refresh([process.pid])
        seen, seconds = sampler.sample(process.pid), time.monotonic() - began
        process.stdin.write("end\n")
    assert seen is not None
    assert seen.switches.voluntary * seconds >= _SWITCHES / 2
    assert seen.peak_rss_bytes is not None
