"""A run of the tests: the signals that it and its children heed, and what it leaves behind."""

import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NoReturn

import psutil

VARIABLE: Final = "TESTS_OF_RUN"
_SECONDS_TO_GO: Final = 5.0
_HELPERS: Final = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")


def hand_no_ignored_signals_on() -> None:
    """Have programs that tests start heed signals that this process was told to ignore.

    Behind `nohup` SIGHUP is ignored, and SIGINT in the background of a shell; whoever is started
    inherits that. A handler that does nothing lets this process ignore them as before, and is not
    inherited.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def end_in_good_order_when_told_to() -> None:
    """Take SIGTERM, as from `timeout` or a cancelled job, for Ctrl-C: fixtures are torn down."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def compile_once() -> None:
    """Keep bytecode: hundreds of processes would compile all of the server anew otherwise."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def mark() -> None:
    """Mark this process, and with it all that tests will start."""
    os.environ.setdefault(VARIABLE, secrets.token_hex(8))


def end_what_is_left() -> list[str]:
    """End what tests have started and left behind; return it in words."""
    until = time.monotonic() + _SECONDS_TO_GO
    while (left := dict(_left())) and time.monotonic() < until:
        time.sleep(0.1)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return list(left.values())


def _left() -> Iterator[tuple[psutil.Process, str]]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it is gone, or not ours to look at
            if process.pid != os.getpid() and _is_ours(process):
                words = " ".join(process.cmdline())
                if not any(helper in words for helper in _HELPERS):  # they end with this process
                    yield process, f"{process.pid} {words[:200]}"


def _is_ours(process: psutil.Process) -> bool:
    is_marked = process.environ().get(VARIABLE) == os.environ[VARIABLE]
    return is_marked and process.status() != psutil.STATUS_ZOMBIE
