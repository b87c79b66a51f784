"""The locks by which a server lives as long as somebody uses it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from pooldeck.beside.attachment import Attachment
from tests import ROOT
from tests.support.programs import started
from tests.support.waiting import eventually

_PROGRAM = """
import sys, os
from pathlib import Path
from pooldeck.beside.attachment import Attachment
held = Attachment(Path(sys.argv[1]))
getattr(held, sys.argv[2])(*([60] if sys.argv[2] == "serve" else []))
if sys.argv[3:]:
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)
        sys.stdin.read()
        os._exit(0)
else:
    print(os.getpid(), flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(folder: Path, what: str, *options: str) -> "Iterator[subprocess.Popen[str]]":
    """Let another process hold a lock for the time of the block."""
    command = [sys.executable, "-c", _PROGRAM, str(folder), what, *options]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with started(command, cwd=ROOT, **pipes) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def test_a_server_is_seen_for_as_long_as_it_lives(tmp_path: Path) -> None:
    attachment = Attachment(tmp_path)
    assert attachment.wait_for_end(0)

    with holding(tmp_path, "serve") as server:
        assert attachment.is_served
        assert not attachment.wait_for_end(0.05)
        assert not attachment.serve(0.05)
        server.kill()
        assert attachment.wait_for_end(60)
    attachment.close()


def test_whoever_comes_when_the_last_user_has_gone_is_refused(tmp_path: Path) -> None:
    attachment = Attachment(tmp_path)

    with holding(tmp_path, "wait_until_unused"):
        assert not attachment.attach()
    eventually(attachment.attach, "it is let in once that server has ended")
    attachment.close()


def test_a_server_is_in_use_until_all_have_gone(tmp_path: Path) -> None:
    attachment = Attachment(tmp_path)
    waiting = Thread(target=attachment.wait_until_unused)

    with holding(tmp_path, "attach") as first, holding(tmp_path, "attach") as second:
        waiting.start()
        first.kill()
        first.wait()
        waiting.join(0.3)
        assert waiting.is_alive()
        second.kill()
        waiting.join(60)
        assert not waiting.is_alive()
    attachment.close()


def test_what_a_killed_user_has_forked_keeps_no_server(tmp_path: Path) -> None:
    attachment = Attachment(tmp_path)
    waiting = Thread(target=attachment.wait_until_unused)

    with holding(tmp_path, "attach", "fork") as user:
        waiting.start()
        os.kill(user.pid, signal.SIGKILL)
        user.wait()
        waiting.join(60)
        assert not waiting.is_alive()
    attachment.close()
