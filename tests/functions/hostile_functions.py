"""Functions that turn against the process that runs them."""

import _thread
import builtins
import ctypes
import faulthandler
import gc
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, Final

import msgspec

from pooldeck import current_task, task
from pooldeck.worker.channel import Channel

OWN: Final = "<the task that sends it>"


@task
def add(a: int, b: int) -> int:
    """Behave well."""
    return a + b


@task
def stop_self() -> None:
    """Stop this process; the thread that asks for it may go on for a moment."""
    os.kill(os.getpid(), signal.SIGSTOP)
    threading.Event().wait()


@task
def become_sleep() -> None:
    """Let another program take the place of this process."""
    os.execv("/bin/sleep", ["sleep", "600"])


@task
def become_python() -> None:
    """Let another run of the same program take its place."""
    os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)"])


@task
def end_main_thread() -> None:
    """End the thread that it runs on, which is the main thread in a process, past Python."""
    ctypes.CDLL(None).pthread_exit(None)


def block_main_thread_on_signal() -> None:
    """Have a signal block the main thread for good; to be an initializer."""
    signal.signal(signal.SIGUSR1, lambda *_: threading.Event().wait())


@task
def block_main_thread() -> None:
    """Block the main thread, and wait."""
    os.kill(os.getpid(), signal.SIGUSR1)
    threading.Event().wait()


# Each of them does one thing to its process that no function should.


def _closes_everything() -> None:
    os.closerange(0, 1 << 16)


def _closes_what_is_standard() -> None:
    sys.stdout.close()
    sys.stderr.close()
    for descriptor in range(3):
        os.close(descriptor)


def _closes_all_sockets() -> None:
    for each in gc.get_objects():
        if isinstance(each, socket.socket):
            each.close()


def _returns_twice() -> None:
    os.fork()


def _leaves_fifty_children() -> None:
    for _ in range(50):
        if not os.fork():
            time.sleep(600)


def _leaves_a_session() -> None:
    subprocess.Popen(["sleep", "600"], start_new_session=True)


def _has_no_limits_left() -> None:
    for limit in ("NOFILE", "FSIZE", "NPROC", "STACK", "DATA", "CORE", "MEMLOCK"):
        kind = getattr(resource, f"RLIMIT_{limit}")
        resource.setrlimit(kind, (0, resource.getrlimit(kind)[1]))


def _has_no_limits_left_for_good() -> None:
    for limit in ("NOFILE", "FSIZE", "CORE"):
        resource.setrlimit(getattr(resource, f"RLIMIT_{limit}"), (0, 0))


def _has_no_memory_left() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))
    hoard = []
    while True:
        hoard.append(bytes(1 << 20))


def _is_nobody() -> None:
    if not os.getuid():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def _blocks_all_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def _destroys_builtins() -> None:
    builtins.__dict__.clear()


def _destroys_import() -> None:
    builtins.__import__ = None  # type: ignore[assignment]  # that is the point, here and below


def _destroys_modules() -> None:
    sys.modules.clear()


def _replaces_time() -> None:
    time.time = time.monotonic = time.perf_counter = lambda: 1e300
    time.sleep = lambda _: None


def _replaces_the_workers_time() -> None:
    for module in [*sys.modules.values()]:
        for name in ("_now", "monotonic", "perf_counter", "thread_time", "process_time"):
            if module.__name__.startswith("pooldeck.") and hasattr(module, name):
                setattr(module, name, lambda: 1e300)
    current_task().log("what is said in the far future")


def _replaces_sockets() -> None:
    socket.socket.sendall = socket.socket.recv = None  # type: ignore[assignment,method-assign]


def _replaces_threads() -> None:
    threading.Thread.start = threading.Thread.join = None  # type: ignore[assignment,method-assign]


def _starts_a_thousand_threads() -> None:
    for _ in range(1000):
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()


def _ends_its_group() -> None:
    os.kill(0, signal.SIGTERM)
    time.sleep(5)


def _kills_its_group() -> None:
    os.kill(0, signal.SIGKILL)


def _overflows_the_stack() -> None:
    sys.setrecursionlimit(10**9)
    max((0, 1), key=lambda _: _overflows_the_stack())  # type: ignore[arg-type,return-value]


def _crashes_without_a_word() -> None:
    faulthandler.disable()
    ctypes.string_at(0)


def _ends_by_a_watchdog() -> None:
    faulthandler.dump_traceback_later(0.05, exit=True)
    time.sleep(5)


def _ends_by_an_alarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(5)


def _ends_in_a_thread() -> None:
    threading.Thread(target=os._exit, args=(3,)).start()
    time.sleep(5)


def _refuses_all() -> None:
    def refuse(event: str, _: object) -> None:
        if event in {"open", "socket.connect", "os.fork", "compile", "exec", "import"}:
            raise RuntimeError(event)

    sys.addaudithook(refuse)


def _traces_all() -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError

    threading.settrace(refuse)
    sys.setprofile(None)


def _freezes_garbage() -> None:
    gc.freeze()
    gc.disable()
    gc.set_threshold(0)


def _is_last_of_all() -> None:
    os.nice(19)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _has_no_directory() -> None:
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    Path(folder).rmdir()
    os.umask(0o777)


def _interrupts() -> None:
    raise KeyboardInterrupt


def _interrupts_the_main_thread() -> None:
    _thread.interrupt_main()


def _raises_what_cannot_be_shown() -> None:
    class Unspeakable(BaseException):
        def __str__(self) -> str:
            raise self

        __repr__ = __str__

    raise Unspeakable


def _floods() -> None:
    for _ in range(50):
        os.write(1, b"x" * (1 << 20))


def _says_nothing_to_anybody() -> None:
    logging.disable(logging.CRITICAL)
    logging.shutdown()
    sys.stdout = sys.stderr = None


def _sends_rubbish() -> None:
    _pipe().sendall(b"\xff" * 1000)


def _sends_half_a_frame() -> None:
    _pipe().sendall(b"\x00\x01\x00\x00rubbish")


def _shuts_the_pipe() -> None:
    _pipe().shutdown(socket.SHUT_RDWR)


def _pipe() -> socket.socket:
    """Return this worker's end of the pipe to its server."""
    gc.unfreeze()  # an earlier task may have hidden it
    channel = next(each for each in gc.get_objects() if type(each) is Channel)
    return channel._socket


ACTS: Final = {
    act.__name__.strip("_"): act
    for act in list(globals().values())
    if isinstance(act, FunctionType) and act.__name__.startswith("_") and act is not _pipe
}


def _as_function(act: Callable[[], None]) -> Callable[[], None]:
    def perform() -> None:
        act()

    return perform


for _name, _act in ACTS.items():
    globals()[_name] = task(name=f"hostile.{_name}")(_as_function(_act))


@task
def forge(frame: str) -> None:
    """Send a frame, given as the hex digits of its body, as if the worker did; name this task."""
    body = msgspec.msgpack.decode(bytes.fromhex(frame))
    named = msgspec.msgpack.encode(_named(body, current_task().id))
    _pipe().sendall(len(named).to_bytes(4, "big") + named)


def _named(value: Any, task_id: str) -> Any:
    if isinstance(value, dict):
        return {_named(key, task_id): _named(part, task_id) for key, part in value.items()}
    if isinstance(value, list):
        return [_named(part, task_id) for part in value]
    return task_id if value == OWN else value
