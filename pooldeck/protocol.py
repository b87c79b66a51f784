"""The frames between a supervisor and its worker.

A frame is a length (four bytes, big-endian) and a msgpack array whose first item is its tag. Frames
carry data, never live objects: arguments travel as the JSON bytes that were submitted, results come
back as JSON bytes. One pipe, everything in order; beside it a second one on which the supervisor
says what must not wait until the worker has time (cancel, abandon, look). Answers to that come over
the first, in order with all else.

Times named `..._at` are seconds of the system-wide monotonic clock (`time.monotonic`), which a
supervisor and its workers share.
"""

import signal
from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from pooldeck.access import Access
from pooldeck.commands import Command
from pooldeck.functions import FunctionSpec
from pooldeck.kinds import PoolKind
from pooldeck.outcome import Error, Observation, Outcome

_HEADER: Final = 4
_MAX_FRAME: Final = 64 * 1024 * 1024

STACK_SIGNAL: Final[int] = getattr(signal, "SIGRTMAX", signal.SIGUSR2) - (
    1 if hasattr(signal, "SIGRTMAX") else 0
)
"""Makes a worker write the stacks of all its threads to a file, even while C code holds the GIL.

It is blocked in every thread but the one that reads the second pipe: a signal that arrives in a
task's thread would interrupt its system call.
"""

PROBE_NAME: Final = "pooldeck-probe"
"""What the kernel calls the thread of a worker that looks at calls: it often wakes by itself."""


class ProtocolError(Exception):
    """The other side sent bytes that are no frame."""


class Limits(Struct, frozen=True, array_like=True):
    """Bounds that a worker enforces on what it reports (bytes, except where named)."""

    result_bytes: int = 10 * 1024 * 1024
    message_bytes: int = 64 * 1024
    traceback_bytes: int = 256 * 1024
    log_lines: int = 10_000
    log_bytes: int = 1024 * 1024
    depth: int = 64


# From the supervisor to the worker.


class Setup(Struct, frozen=True, array_like=True, tag="setup"):
    """The first frame: what this worker is and what it loads before it is ready."""

    worker: str
    pool: str
    kind: PoolKind
    slots: int
    modules: list[str]
    initializer: str | None
    limits: Limits
    fault_path: str | None = None
    output_path: str | None = None
    stack_path: str | None = None  # where `STACK_SIGNAL` writes the stacks of all threads
    probes: bool = False  # whether it says who needs the GIL
    commands: tuple[Command, ...] = ()
    shared: Access | None = None  # the way to shared state


class Call(Struct, frozen=True, array_like=True, tag="call"):
    """Run a function once. `args` and `kwargs` are JSON texts: an array and an object."""

    task: str
    attempt: int
    function: str
    args: bytes
    kwargs: bytes
    timeout: float | None = None  # seconds from its start


class Stop(Struct, frozen=True, array_like=True, tag="stop"):
    """End when what runs has ended."""


# From the supervisor to the worker, on the second pipe.


class Cancel(Struct, frozen=True, array_like=True, tag="cancel"):
    """Ask a call to end itself; give it back if it has not started."""

    task: str


class Abandon(Struct, frozen=True, array_like=True, tag="abandon"):
    """Leave a call's thread to itself: it is waited for no more, and its slot is replaced."""

    task: str


class Look(Struct, frozen=True, array_like=True, tag="look"):
    """Say where a running call is."""

    task: str


# From the worker to the supervisor.


class Ready(Struct, frozen=True, array_like=True, tag="ready"):
    """Imports and the initializer are done."""

    pid: int
    functions: list[FunctionSpec]


class Unready(Struct, frozen=True, array_like=True, tag="unready"):
    """The worker cannot start: an import or the initializer failed. It ends after this frame."""

    error: Error
    output: str


class Started(Struct, frozen=True, array_like=True, tag="started"):
    """A slot began to run a call. `thread` numbers the slot in a thread worker, from 1.

    `ident` is the thread's `threading.get_ident()`, by which faulthandler names it, `native_id`
    the kernel's number of it.
    """

    task: str
    started_at: float
    thread: int | None
    ident: int = 0
    native_id: int = 0


class Progress(Struct, frozen=True, array_like=True, tag="progress"):
    """How far a running call says it is: `fraction` from 0 to 1, or None."""

    task: str
    fraction: float | None
    message: str


class LogLine(Struct, frozen=True, array_like=True):
    """One line of a task's log. `level` is a `logging` level name, `source` a logger or stream."""

    at: float  # wall clock, seconds since the epoch
    level: str
    source: str
    message: str


class Log(Struct, frozen=True, array_like=True, tag="log"):
    """Lines of a running call's log, in order."""

    task: str
    lines: list[LogLine]


class Finished(Struct, frozen=True, array_like=True, tag="finished"):
    """A call ended; its slot is free again.

    `started` is its start where that was not sent before: each frame that arrives wakes the
    supervisor, which costs more than a short call does. `is_abandoned`: `Abandoned` was sent before
    this; a later attempt of the same task may be running here beside it.
    """

    task: str
    outcome: Outcome
    started: Started | None = None
    is_abandoned: bool = False


class Abandoned(Struct, frozen=True, array_like=True, tag="abandoned"):
    """A call is abandoned; its `Finished` follows when its thread ends, if it ever does."""

    task: str


class Stack(Struct, frozen=True, array_like=True, tag="stack"):
    """Where a call is right now, innermost frame last; None if it does not run here (any more)."""

    task: str
    text: str | None


class Exiting(Struct, frozen=True, array_like=True, tag="exiting"):
    """A call is about to end the whole process with `os._exit`."""

    task: str
    code: int


class Observed(Struct, frozen=True, array_like=True, tag="observed"):
    """What the probe of a worker has seen of its running calls since its last report."""

    observations: list[Observation]


class Returned(Struct, frozen=True, array_like=True, tag="returned"):
    """Calls that have not started and will not: they waited behind a long one or were cancelled."""

    tasks: list[str]


FromSupervisor = Setup | Call | Stop
Control = Cancel | Abandon | Look
FromWorker = (
    Ready
    | Unready
    | Started
    | Progress
    | Log
    | Finished
    | Observed
    | Returned
    | Abandoned
    | Stack
    | Exiting
)

_encode = msgspec.msgpack.Encoder().encode
_decode_from_supervisor: Callable[[bytes], FromSupervisor] = msgspec.msgpack.Decoder(
    FromSupervisor
).decode
_decode_control: Callable[[bytes], Control] = msgspec.msgpack.Decoder(Control).decode
_decode_from_worker: Callable[[bytes], FromWorker] = msgspec.msgpack.Decoder(FromWorker).decode


def frame(message: FromSupervisor | Control | FromWorker) -> bytes:
    """Return `message` as bytes for the pipe."""
    body = _encode(message)
    return len(body).to_bytes(_HEADER, "big") + body


def from_supervisor(body: bytes) -> FromSupervisor:
    """Decode the body of a frame that a supervisor sent.

    Raises:
        ProtocolError: If the bytes are no such frame.
    """
    try:
        return _decode_from_supervisor(body)
    except msgspec.MsgspecError as error:
        raise ProtocolError(str(error)) from error


def from_control(body: bytes) -> Control:
    """Decode the body of a frame that a supervisor sent on the second pipe.

    Raises:
        ProtocolError: If the bytes are no such frame.
    """
    try:
        return _decode_control(body)
    except msgspec.MsgspecError as error:
        raise ProtocolError(str(error)) from error


def from_worker(body: bytes) -> FromWorker:
    """Decode the body of a frame that a worker sent.

    Raises:
        ProtocolError: If the bytes are no such frame.
    """
    try:
        return _decode_from_worker(body)
    except msgspec.MsgspecError as error:
        raise ProtocolError(str(error)) from error


class FrameBuffer:
    """Cuts a stream of bytes into the bodies of its frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the body of each frame that is complete with `data`.

        Raises:
            ProtocolError: If a frame claims to be larger than any frame may be.
        """
        self._bytes += data
        start = 0
        available = len(self._bytes)
        while available - start >= _HEADER:
            size = int.from_bytes(self._bytes[start : start + _HEADER], "big")
            if size > _MAX_FRAME:
                raise ProtocolError(f"a frame of {size} bytes is over the limit of {_MAX_FRAME}")
            end = start + _HEADER + size
            if end > available:
                break
            yield bytes(self._bytes[start + _HEADER : end])
            start = end
        del self._bytes[:start]
