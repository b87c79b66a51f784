"""The process of a command with all that it starts: its output, its signals, its end.

It has a session of its own, so that its whole group can be signalled. What leaves the group is
found by the mark of the call, which every child inherits.
"""

import os
import selectors
import signal
import subprocess
from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import IO, Final, Self, cast

from pooldeck.marks import BOOT, CALL, open_pidfd, sweep

_CHUNK: Final = 64 * 1024
_PIPE_CHUNKS: Final = 16  # that a pipe holds, at most
_TAIL: Final = 4096  # bytes of a stream's end that are kept
_GONE: Final = (ProcessLookupError, PermissionError)  # or it has become another user's
# Without a pidfd the end of a process wakes no selector.
_POLL_SECONDS: Final = 0.1 if hasattr(os, "pidfd_open") else 0.02


class Stream:
    """The output of a process to one of its streams: passed on as text, both ends of it kept."""

    def __init__(self, pipe: IO[bytes], keep: int, write: Callable[[str], None]) -> None:
        self.pipe = pipe
        self.head = bytearray()  # the first `keep` bytes
        self.tail = b""  # the last bytes
        self.size = 0  # in bytes
        self._keep = keep
        self._write = write
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        os.set_blocking(pipe.fileno(), False)

    def read(self) -> bool:
        """Read what is there, up to a chunk; return whether there may be more later."""
        try:
            data = os.read(self.pipe.fileno(), _CHUNK)
        except BlockingIOError:
            return True
        self.size += len(data)
        self.head += data[: self._keep - len(self.head)]
        self.tail = (self.tail + data)[-_TAIL:]
        self._write(self._decode(data, final=not data))
        return bool(data)

    def read_rest(self) -> None:
        """Read all that is there; what others that hold the pipe write later is dropped."""
        for _ in range(_PIPE_CHUNKS):
            before = self.size
            self.read()
            if self.size == before:
                return


class CommandProcess:
    """A command that was started; a context manager that leaves nothing of it behind.

    `call` marks it and all that it starts. An `OSError` says that it could not be.
    """

    def __init__(
        self,
        vector: Sequence[str],
        environment: Mapping[str, str],
        *,
        directory: str,
        call: str,
        stdin: IO[bytes] | int,
    ) -> None:
        self._call = call
        self._boot = environment.get(BOOT)
        with ExitStack() as opened:
            # First what can fail for want of a file descriptor: then nothing has been started.
            self._selector = opened.enter_context(selectors.DefaultSelector())
            self._process = subprocess.Popen(  # noqa: S603 - no shell; the program is declared
                vector,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=directory,
                env={**environment, CALL: call},
                start_new_session=True,
            )
            opened.pop_all()
        self._pidfd = open_pidfd(self._process.pid)
        if self._pidfd is not None:
            self._selector.register(self._pidfd, selectors.EVENT_READ)
        self._streams: list[Stream] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Kill its group and reap it, if that has not been done; close the pipes."""
        if self._process.returncode is None:
            self.signal(signal.SIGKILL)
            self._process.wait()
        self._selector.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
        for stream in self._streams:
            stream.pipe.close()

    def open_streams(self, keep: int, write: Callable[[str, str], None]) -> tuple[Stream, Stream]:
        """Return its standard output, of whose start `keep` bytes are kept, and standard error.

        `write` is called with what it writes, piece by piece: "stdout" or "stderr", and text.
        """
        stdout = cast(IO[bytes], self._process.stdout)  # both were asked for
        stderr = cast(IO[bytes], self._process.stderr)
        self._streams = [
            Stream(stdout, keep, partial(write, "stdout")),
            Stream(stderr, 0, partial(write, "stderr")),
        ]
        for stream in self._streams:
            self._selector.register(stream.pipe, selectors.EVENT_READ, stream)
        return self._streams[0], self._streams[1]

    def wait(self) -> bool:
        """Read what it writes, for a moment; return whether it still runs."""
        for key, _ in self._selector.select(_POLL_SECONDS):
            if isinstance(key.data, Stream) and not key.data.read():
                self._selector.unregister(key.fileobj)
        return not self._has_ended()

    def _has_ended(self) -> bool:
        """Tell whether it has ended; its id stays taken until its group has been signalled."""
        if hasattr(os, "waitid"):
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self._process.pid, flags) is not None
        return self._process.poll() is not None

    def signal(self, number: int) -> None:
        """Send a signal to its group; nothing happens if that is gone."""
        with suppress(*_GONE):
            os.killpg(self._process.pid, number)

    def finish(self, *, was_stopped: bool) -> int:
        """End what it has left, read the rest of its output, and return its exit code.

        If it was stopped, nothing of it may live on, wherever it went. Else what has left its group
        is meant to, and ends with the worker at the latest. A process that was killed by a signal
        has its negative number as exit code.
        """
        self.signal(signal.SIGKILL)
        if was_stopped and self._boot is not None:
            with suppress(OSError):  # no file descriptor is left; it ends with its worker then
                sweep([self._boot], call=self._call)
        for stream in self._streams:
            stream.read_rest()
        return self._process.wait()
