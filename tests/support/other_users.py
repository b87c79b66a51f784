"""Another user of this machine, who runs programs: only root can have one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from tests.support.programs import started

NOBODY: Final = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
# The interpreter may be where no other user can start it. So it becomes one, when it has all that
# these programs use; afterwards it can load nothing more.
_BECOME_NOBODY: Final = f"""
import encodings.idna, http.client, json, os, socket, struct, sys, time
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
os.chdir("/")
"""


def run(program: str, *arguments: str) -> str:
    """Return what a program in Python says that another user runs.

    It has the modules http.client, json, os, socket, struct, sys and time.
    """
    done = subprocess.run(
        _command(program, arguments), capture_output=True, timeout=120, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def running(program: str, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """Have another user run a program, as `run` does, while the body does; with pipes to it."""
    command, pipe = _command(program, arguments), subprocess.PIPE
    with started(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield process


def _command(program: str, arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-I", "-c", _BECOME_NOBODY + program, *arguments]
