"""The place of a host process on its machine: one process has it, and one agent holds that.

An engine starts host processes by agents on its machines. A host process outlives the agent that
started it, and the next one finds it here: it has the lock of its place for as long as it lives,
and listens on a socket beside it. Whoever connects first holds the host process until the
connection closes, hears that it is awake when it asks, and why it ends at the end.
"""

import asyncio
import fcntl
import os
import stat
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

TAKEN: Final = 75
"""Exit code of a host process whose place another one has (EX_TEMPFAIL of sysexits.h)."""

_PATIENCE: Final = 2.0  # seconds for an agent to take the last word


class NowHeld(Struct, frozen=True, tag="here"):
    """The first word to an agent: it holds this host process now.

    `run` is which run of which server the process was started for.
    """

    run: str


class HeldByAnother(Struct, frozen=True, tag="held"):
    """The only word to an agent that comes while another one holds the host process."""


class Awake(Struct, frozen=True, tag="awake"):
    """The answer to each byte that an agent sends."""


class HostEnded(Struct, frozen=True, tag="ended"):
    """The last word: why the host process ends."""

    why: str


Word = NowHeld | HeldByAnother | Awake | HostEnded

_decode = msgspec.json.Decoder(Word).decode


def word(line: bytes) -> Word:
    """Decode a line that a host process sent.

    Raises:
        msgspec.MsgspecError: If it is none.
    """
    return _decode(line)


class HostPlace(Struct, frozen=True):
    """Where a host process and its agent find each other.

    `stem` is the path of its files without their endings; it is short, since that of a socket may
    have some hundred bytes.
    """

    stem: Path

    @classmethod
    def of(cls, *names: str) -> "HostPlace":
        """Return the place of a host process on this machine, for this user.

        Args:
            names: What tells it from others: deck, pool and name.

        Raises:
            PermissionError: If another user made the folder that is to be this one's own.
        """
        key = sha256("\0".join(names).encode()).hexdigest()[:16]
        return cls(_folder() / key)

    @property
    def socket(self) -> Path:
        """Where the host process listens."""
        return self.stem.with_suffix(".sock")

    @property
    def lock(self) -> Path:
        """What the host process has locked."""
        return self.stem.with_suffix(".lock")

    @property
    def log(self) -> Path:
        """Where its standard error goes."""
        return self.stem.with_suffix(".log")


def _folder() -> Path:
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path(base) / f"pooldeck-agents-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{folder} belongs to somebody else")
    folder.chmod(0o700)
    return folder


class PlaceTaken(Exception):  # noqa: N818 - a condition, as the process sees it
    """Another host process has this place."""


class Presence:
    """What a host process has of its place: the lock, and the socket that agents connect to."""

    def __init__(self, place: HostPlace, run: str) -> None:
        self._place = place
        self._run = run
        self._holder: asyncio.StreamWriter | None = None
        self._attending: set[asyncio.Task[None]] = set()

    async def take(self) -> None:
        """Take the place and listen for agents.

        Raises:
            PlaceTaken: If another process has it.
            OSError: If the files of the place cannot be made.
        """
        self._lock = os.open(self._place.lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise PlaceTaken from error
        self._place.socket.unlink(missing_ok=True)  # that of a process that was killed
        self._server = await asyncio.start_unix_server(self._meet, self._place.socket)

    async def leave(self, why: str) -> None:
        """Tell the agent why this process ends, and give the place up.

        What the process has started must have ended: another one takes its place at once.
        """
        self._server.close()
        self._place.socket.unlink(missing_ok=True)
        if (holder := self._holder) is not None:
            with suppress(OSError, TimeoutError):
                _say(holder, HostEnded(why))
                await asyncio.wait_for(holder.drain(), _PATIENCE)
            holder.close()
        os.close(self._lock)

    def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._attend(reader, writer))
        self._attending.add(task)
        task.add_done_callback(self._attending.discard)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve an agent until it goes."""
        if self._holder is not None:
            _say(writer, HeldByAnother())
            writer.close()
            return
        self._holder = writer
        try:
            _say(writer, NowHeld(self._run))
            while await reader.read(1):
                _say(writer, Awake())
        except OSError:
            pass  # it died, which is the same as going
        finally:
            self._holder = None
            writer.close()


def _say(writer: asyncio.StreamWriter, said: Word) -> None:
    writer.write(msgspec.json.encode(said) + b"\n")
