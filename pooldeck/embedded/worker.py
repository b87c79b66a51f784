"""A worker of an embedded pool: unpickles calls, runs them, pickles what they became.

It runs as the target of a `multiprocessing.Process`, so that the functions of a script's
`__main__` can be found and locks and queues can be handed to the initializer. Other than the
server's worker it leaves the process as it is: output, signals, logging and the working directory
are the program's own.
"""

import contextlib
import faulthandler
import logging
import os
import pickle
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.spawn import get_preparation_data, import_main_path
from pathlib import Path
from socket import socket
from typing import Any, Final

from pooldeck.embedded.pickling import Parcel, Raised, Unreadable, Value, opened, pickled, sealed
from pooldeck.loaded_code import LoadedCode
from pooldeck.marks import BOOT, WORKER
from pooldeck.outcome import Error, Outcome
from pooldeck.protocol import Call, Finished, Limits, Ready, Setup, Started, Unready
from pooldeck.worker import exits, failures
from pooldeck.worker.channel import Channel
from pooldeck.worker.descriptors import adopt, lift

_LIMITS: Final = Limits()
_READ_BYTES: Final = 4096
_log = logging.getLogger("concurrent.futures")  # where the standard library's pool reports


@dataclass(frozen=True)
class Outset:
    """How a worker begins."""

    script: str | None  # the program's file, if it is a script: its functions are found there
    folder: Path  # where large parcels and crash reports lie
    initializer: Callable[..., object] | None  # called once before the first call
    initargs: tuple[Any, ...]


def script() -> str | None:
    """Return the file of the program, None if it is no script.

    To be asked while the script runs: when it has come to its end, its calls may still run, but
    neither Python nor `multiprocessing` knows its file any more.

    Raises:
        RuntimeError: In a worker that is just loading the script, which lacks its guard.
    """
    path: str | None = get_preparation_data("").get("init_main_from_path")
    return path


def main(pipe: socket, control: socket, boot: str, outset: Outset) -> None:
    """Be a worker until the supervisor says stop; `boot` marks all that its calls start."""
    os.setsid()  # what calls start ends with the worker; Ctrl-C reaches the program only
    channel = Channel(pipe.detach())
    _leave_with(adopt(control.detach()))
    setup = channel.receive()
    assert isinstance(setup, Setup)  # noqa: S101 - the supervisor's first frame
    _mark(boot, setup.worker)
    _report_crashes(setup.fault_path)
    if outset.script is not None:
        import_main_path(outset.script)  # does nothing if `multiprocessing` has done it
    error = _initialize(outset)
    if error is not None:
        channel.send(Unready(error, ""))
        return
    channel.send(Ready(os.getpid(), LoadedCode()))
    _serve(channel, outset.folder)


def _leave_with(control: socket) -> None:
    """Have a thread end the process when the program is gone, whatever the call is doing."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while control.recv(_READ_BYTES):
                pass
        os._exit(exits.DONE)

    threading.Thread(target=wait, name="pooldeck-control", daemon=True).start()


def _mark(boot: str, worker: str) -> None:
    """Mark what calls will start, unless this already runs under a server, whose marks stay."""
    if BOOT not in os.environ:
        os.environ[BOOT] = boot
        os.environ[WORKER] = worker


def _report_crashes(path: str | None) -> None:
    """Have a segfault's traceback written to a file, unless the user has it printed."""
    if path is not None and not faulthandler.is_enabled():
        faulthandler.enable(lift(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)))


def _initialize(outset: Outset) -> Error | None:
    try:
        if outset.initializer is not None:
            outset.initializer(*outset.initargs)
    except BaseException as exception:  # noqa: BLE001 - sys.exit() is such a failure too
        _log.critical("Exception in initializer:", exc_info=True)
        return failures.describe(exception, _LIMITS)
    return None


def _serve(channel: Channel, folder: Path) -> None:
    ident, native_id = threading.get_ident(), threading.get_native_id()
    while isinstance(call := channel.receive(), Call):
        channel.send(Started(call.task, time.monotonic(), None, ident, native_id))
        outcome = Outcome(result=_sealed(_perform(call.args), folder))
        channel.send(Finished(call.task, outcome))
        del call, outcome  # what a call held is free before the next one comes


def _perform(arguments: bytes) -> Parcel:
    """Run a call to its end; whatever happens becomes a parcel."""
    try:
        call = opened(arguments)
        assert isinstance(call, Value)  # noqa: S101 - the program sends nothing else
        function, args, kwargs = pickle.loads(call.pickled)  # noqa: S301 - the program's own
        del call
    except BaseException as exception:  # noqa: BLE001 - unpickling is the user's code
        said = failures.describe(exception, _LIMITS)
        return Unreadable(f"{said.type}: {said.message}", said.traceback or "")
    try:
        return Value(pickled(function(*args, **kwargs)))
    except BaseException as exception:  # noqa: BLE001 - SystemExit is an outcome too
        return _raised(exception)


def _raised(exception: BaseException) -> Raised:
    """Return an exception as a parcel; one that cannot be pickled, as the error that says so."""
    text = failures.describe(exception, _LIMITS).traceback or ""
    exception.__traceback__ = None  # its frames hold what the call held
    try:
        return Raised(pickled(exception), text)
    except BaseException as error:  # noqa: BLE001 - pickling is the user's code
        said = failures.describe(error, _LIMITS)
        substitute = pickle.PicklingError(f"the exception cannot be pickled: {said.message}")
        return Raised(pickled(substitute), f"{text}\n{said.traceback}")


def _sealed(parcel: Parcel, folder: Path) -> bytes:
    try:
        return sealed(parcel, folder)
    except OSError as error:
        return sealed(_raised(error), folder)
