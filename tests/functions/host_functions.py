"""Functions that leave a trace of what they do, for tests of hosts that are lost."""

import os
import subprocess
import sys
import time

from pooldeck import task


def _note(path: str, what: str, name: str) -> None:
    line = f"{what} {name} {os.getpid()} {time.monotonic()!r}\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode())
    os.close(descriptor)


@task
def traced(path: str, name: str, seconds: float) -> str:
    """Run for a while, and note the start, each 20 ms, and the end."""
    _note(path, "start", name)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(min(0.02, seconds))
        _note(path, "alive", name)
    _note(path, "end", name)
    return name


@task
def with_child(path: str, name: str, seconds: float) -> None:
    """Run for a while beside a process of its own, which notes that it is there."""
    program = (
        "import os, sys, time\n"
        "while True:\n"
        "    line = f'alive {sys.argv[2]} {os.getpid()} {time.monotonic()!r}\\n'\n"
        "    open(sys.argv[1], 'a').write(line)\n"
        "    time.sleep(0.02)\n"
    )
    subprocess.Popen([sys.executable, "-c", program, path, name], start_new_session=True)
    traced(path, name, seconds)
