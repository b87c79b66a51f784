"""The process of a command with all that it starts: what it writes, how it ends, how it is ended.

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
from types import TracebackType
from typing import IO, Final, Self

from pooldeck.marks import BOOT, CALL, open_pidfd, sweep

_CHUNK: Final = 64 * 1024
_PIPE_CHUNKS: Final = 16  # that a pipe holds, at most
_TAIL: Final = 4096  # bytes of a stream's end that are kept
_GONE: Final = (ProcessLookupError, PermissionError)  # or it has become another user's
# Without a pidfd nothing wakes who waits for the end of a process.
_LOOK_SECONDS: Final = 0.1 if hasattr(os, "pidfd_open") else 0.02


class Stream:
    """What a process writes to one of its streams: passed on as text, the ends of it kept.

    Args:
        pipe: The end to read.
        keep: How many bytes to keep from the start.
        write: Takes each piece of text.

    Attributes:
        head: The first bytes.
        tail: The last bytes.
        size: How many bytes there were in all.
    """

    def __init__(self, pipe: IO[bytes], keep: int, write: Callable[[str], None]) -> None:
        self.pipe = pipe
        self.head = bytearray()
        self.tail = b""
        self.size = 0
        self._keep = keep
        self._write = write
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        os.set_blocking(pipe.fileno(), False)

    def read(self) -> bool:
        """Take what is there, up to a chunk; return whether there may be more later."""
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
        """Take all that is there; what others that hold the pipe write later is nobody's."""
        for _ in range(_PIPE_CHUNKS):
            before = self.size
            self.read()
            if self.size == before:
                return


class CommandProcess:
    """A command that was started; a context manager that leaves nothing of it behind.

    Args:
        vector: The program and its arguments.
        environment: Its whole environment.
        directory: Where it works.
        call: The mark of this call, for it and all that it starts.
        stdin: What it reads.

    Raises:
        OSError: If it cannot be started.
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill its group and take its end, if that has not been done; close the pipes."""
        if self._process.returncode is None:
            self.signal(signal.SIGKILL)
            self._process.wait()
        self._selector.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
        for stream in self._streams:
            stream.pipe.close()

    def follow(self, keep: int, write: Callable[[str, str], None]) -> tuple[Stream, Stream]:
        """Return its standard output and its standard error.

        Args:
            keep: How many bytes of the output's start to keep.
            write: Takes what it writes, piece by piece: "stdout" or "stderr", and text.
        """
        stdout, stderr = self._process.stdout, self._process.stderr
        assert stdout is not None  # noqa: S101 - for the type checker: both were asked for
        assert stderr is not None  # noqa: S101
        self._streams = [
            Stream(stdout, keep, partial(write, "stdout")),
            Stream(stderr, 0, partial(write, "stderr")),
        ]
        for stream in self._streams:
            self._selector.register(stream.pipe, selectors.EVENT_READ, stream)
        return self._streams[0], self._streams[1]

    def wait(self) -> bool:
        """Take what it writes, for a moment; return whether it still runs."""
        for key, _ in self._selector.select(_LOOK_SECONDS):
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

    def finish(self, *, is_made_to: bool) -> int:
        """End what it has left, take the last of what it wrote, and return its exit code.

        Args:
            is_made_to: Whether nothing of it may live on, wherever it went. Else what has left its
                group is taken for meant to, and ends with the worker at the latest.

        Returns:
            The code, or the negative number of the signal that killed it.
        """
        self.signal(signal.SIGKILL)
        if is_made_to and self._boot is not None:
            with suppress(OSError):  # no file descriptor is left; it ends with its worker then
                sweep([self._boot], call=self._call)
        for stream in self._streams:
            stream.read_rest()
        return self._process.wait()
