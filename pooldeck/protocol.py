"""The frames between a supervisor and its worker.

A frame is a length (four bytes, big-endian) and a msgpack array whose first item is its tag. Frames
carry data, never live objects: arguments travel as the JSON bytes that were submitted, results come
back as JSON bytes. One pipe, everything in order; beside it a second one on which the supervisor
says what must not wait until the worker has time (cancel, abandon, look). Answers to that come over
the first, in order with all else. What comes back over the second are no frames: a byte for each
signal that the worker's process got, its number.

Times named `..._at` are seconds of the system-wide monotonic clock (`time.monotonic`), which a
supervisor and its workers share.
"""

import signal
import struct
from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from pooldeck.access import Access
from pooldeck.commands import Command
from pooldeck.kinds import PoolKind
from pooldeck.loaded_code import LoadedCode, ModuleFailure
from pooldeck.outcome import Error, Observation, Outcome
from pooldeck.quantities import Count, Handle, Moment, Share
from pooldeck.tracing import Tracing

HEADER_BYTES: Final = 4
"""How long the head of a frame is."""

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
    log_errors: int = 1000
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
    words_path: str | None = None  # where what was said and not yet sent survives the process
    box_path: str | None = None  # where it notes which calls have begun and ended
    box_mark: bytes = b""  # of the run that this is part of
    probes: bool = False  # whether it says who needs the GIL
    commands: tuple[Command, ...] = ()
    shared: Access | None = None  # the way to shared state
    left_out: tuple[ModuleFailure, ...] = ()  # modules that took earlier workers down
    boot_seconds: float = 60.0  # until it must be ready
    leave_seconds: float = 2.0  # from `Stop` until it must be gone
    restores_environment: bool = True  # after each call, where calls run alone
    tracing: Tracing | None = None  # where the spans go that calls make
    threads_per_task: int = 0  # that native libraries may start; 0: as many as they like
    until: float | None = None  # as `Until`


class Call(Struct, frozen=True, array_like=True, tag="call"):
    """Run a function once. `args` and `kwargs` are JSON texts: an array and an object."""

    task: str
    attempt: int
    function: str
    args: bytes
    kwargs: bytes
    timeout: float | None = None  # seconds from its start
    trace: dict[str, str] | None = None  # the headers of W3C Trace Context, of the attempt's span


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


class Committed(Struct, frozen=True, array_like=True, tag="committed"):
    """So many of the ends that this worker has sent, the first ones, are on record."""

    ends: int


class Until(Struct, frozen=True, array_like=True, tag="until"):
    """End the process at this moment unless a later one follows; by the clock of `marks.moment`."""

    at: float


# From the worker to the supervisor.


class Loading(Struct, frozen=True, array_like=True, tag="loading"):
    """The import of a module begins; None: all are done, and the initializer begins.

    If nothing follows, that is what hangs or has ended the process.
    """

    module: str | None


class Ready(Struct, frozen=True, array_like=True, tag="ready"):
    """Imports and the initializer are done.

    `ident` is that of the main thread, which runs the calls of a process worker. `inherited_bytes`
    is what the kernel called its peak memory at its start: as a rule the server's. `peak_rss_bytes`
    is what it has used by now.
    """

    pid: Count
    code: LoadedCode
    ident: Handle = 0
    inherited_bytes: Count = 0
    peak_rss_bytes: Count | None = None


class Unready(Struct, frozen=True, array_like=True, tag="unready"):
    """The worker cannot start: its initializer failed. It ends after this frame."""

    error: Error
    output: str


class Started(Struct, frozen=True, array_like=True, tag="started"):
    """A slot began to run a call. `thread` numbers the slot in a thread worker, from 1.

    `ident` is the thread's `threading.get_ident()`, by which faulthandler names it, `native_id`
    the kernel's number of it.
    """

    task: str
    started_at: Moment
    thread: Count | None
    ident: Handle = 0
    native_id: Count = 0


class Progress(Struct, frozen=True, array_like=True, tag="progress"):
    """How far a running call says it is: `fraction` from 0 to 1, or None."""

    task: str
    fraction: Share | None
    message: str


class LogLine(Struct, frozen=True, array_like=True):
    """One line of a log. `level` is a `logging` level name, `source` a logger or stream.

    `n` is its number in the whole log, from 1, counting lines that were left out; 0 if whoever says
    it leaves the number to the server. A line that `is_open` is unfinished: the same number comes
    again when it has grown or is finished.
    """

    at: Moment  # wall clock, seconds since the epoch
    level: str
    source: str
    message: str
    n: Count = 0
    is_open: bool = False


class Log(Struct, frozen=True, array_like=True, tag="log"):
    """Lines of a call's log, in order; `attempt` is that of its task."""

    task: str
    lines: list[LogLine]
    attempt: Count = 1


class WorkerLog(Struct, frozen=True, array_like=True, tag="worker_log"):
    """Lines of the worker's own log, numbered from 1: what cannot be any single call's."""

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


class LeftBehind(Struct, frozen=True, array_like=True, tag="left_behind"):
    """What calls that have ended, or are about to, have left running here, as it is now.

    `threads` are the idents of the threads by the task that started them; a task with none has left
    child processes. `is_spoilt`: something else of the process could not be put back, and it is to
    be replaced.
    """

    threads: dict[str, list[Handle]]
    is_spoilt: bool = False


class Observed(Struct, frozen=True, array_like=True, tag="observed"):
    """What the probe of a worker has seen of its running calls since its last report."""

    observations: list[Observation]


class Returned(Struct, frozen=True, array_like=True, tag="returned"):
    """Calls that have not started and will not: they waited behind a long one or were cancelled."""

    tasks: list[str]


FromSupervisor = Setup | Call | Stop
Control = Cancel | Abandon | Look | Committed | Until
FromWorker = (
    Loading
    | Ready
    | Unready
    | Started
    | Progress
    | Log
    | WorkerLog
    | Finished
    | Observed
    | Returned
    | Abandoned
    | Stack
    | Exiting
    | LeftBehind
)

_read_size: Final = struct.Struct(">I").unpack_from
_encode = msgspec.msgpack.Encoder().encode
_decode_from_supervisor: Callable[[bytes], FromSupervisor] = msgspec.msgpack.Decoder(
    FromSupervisor
).decode
_decode_control: Callable[[bytes], Control] = msgspec.msgpack.Decoder(Control).decode
_decode_from_worker: Callable[[bytes], FromWorker] = msgspec.msgpack.Decoder(FromWorker).decode


def frame(message: FromSupervisor | Control | FromWorker) -> bytes:
    """Return `message` as bytes for the pipe."""
    return framed(_encode(message))


def framed(body: bytes) -> bytes:
    """Return a frame with a body; `FrameBuffer` finds that again."""
    return len(body).to_bytes(HEADER_BYTES, "big") + body


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
        message = _decode_from_worker(body)
        if isinstance(message, Ready):
            _check(message)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise ProtocolError(str(error)) from error
    return message


def _check(message: Ready) -> None:
    """Raise an error if texts in a frame are not of the form that whoever reads them relies on."""
    for function in message.code.functions:
        function.check()


class FrameBuffer:
    """Cuts a stream of bytes into the bodies of its frames."""

    def __init__(self) -> None:
        self._begun = bytearray()  # of a frame that is not complete

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the body of each frame that is complete with `data`.

        Raises:
            ProtocolError: If a frame claims to be larger than any frame may be.
        """
        begun = self._begun
        if begun:  # it grows in place: a large frame comes in many pieces
            begun += data
            if len(begun) < HEADER_BYTES or len(begun) < _end_of_frame(begun, 0):
                return
            data = bytes(begun)
            begun.clear()
        start, available = 0, len(data)
        while (
            available - start >= HEADER_BYTES and (end := _end_of_frame(data, start)) <= available
        ):
            yield data[start + HEADER_BYTES : end]
            start = end
        begun += data[start:]


def _end_of_frame(data: bytes | bytearray, start: int) -> int:
    """Return where the frame ends whose head is at `start`."""
    (size,) = _read_size(data, start)
    if size > _MAX_FRAME:
        raise ProtocolError(f"a frame of {size} bytes is over the limit of {_MAX_FRAME}")
    return start + HEADER_BYTES + int(size)
