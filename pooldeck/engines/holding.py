"""An agent's work: find the host process of its place, or start it, and wait for its end."""

import asyncio
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from pooldeck.engines.port import HostTask
from pooldeck.hosts.presence import TAKEN, HeldByAnother, HostEnded, HostPlace, NowHeld, Word, word
from pooldeck.inherited import TOKEN, inherited

_AUTHORITY: Final = "POOLDECK_AUTHORITY"  # set on a machine, it goes before what the server sent
_LOOK: Final = 0.05  # seconds between two looks for a host process that starts
_START: Final = 60.0  # seconds for it to be there
_LAST_LINES: Final = 5  # of its standard error, which say why it did not start
_LONGEST_LINE: Final = 500


class HostFailed(Exception):  # noqa: N818 - a condition, as the agent sees it
    """No host process can be had here; the text says why, for people."""


class HostHeld(HostFailed):
    """Another agent holds the host process of that name."""


class Holding:
    """One agent's hold of a host process.

    The host process lives in a session of its own, so that it outlives whoever runs the agent.
    """

    def __init__(
        self, task: HostTask, host: str, has: Mapping[str, float], dropped: frozenset[str]
    ) -> None:
        """Prepare the hold.

        Args:
            task: What the host process is for.
            host: Its name.
            has: What its machine has, by name.
            dropped: The variables that it is not to inherit.
        """
        self._task = task
        self.host = host
        self._has = has
        self._dropped = dropped
        self._process: subprocess.Popen[bytes] | None = None
        self._asked_to_end: set[int] = set()
        self._is_held = False
        self.is_adopted = False

    async def begin(self) -> None:
        """Hold the host process that is there already, or a new one.

        Raises:
            HostHeld: If another agent holds it.
            HostFailed: If there is none, and none can be started.
        """
        try:
            self._place = HostPlace.of(self._task.deck, self._task.pool, self.host)
            await asyncio.wait_for(self._find_or_start(), _START)
        except TimeoutError:
            raise HostFailed(f"the host process was not there within {_START:.0f} s") from None
        except OSError as error:
            raise HostFailed(f"no host process could be started: {error}") from error
        self.is_adopted = self._process is None

    async def until_end(self) -> str:
        """Return why the host process ended, once it has.

        One that has not answered for as long as its lease could last is killed: its calls are.
        """
        why = await self._last_word()
        self._writer.close()
        return why

    def release(self) -> None:
        """Let the host process go; it goes on."""
        with suppress(AttributeError):  # it was not held yet
            self._writer.close()

    async def _find_or_start(self) -> None:
        while not await self._connect():
            if self._process is None:
                self._process = await asyncio.to_thread(self._spawn)
                # It may outlive this agent: whoever waits for it leaves no zombie.
                threading.Thread(target=self._process.wait, daemon=True).start()
            elif (code := self._process.poll()) is not None:
                self._process = None  # if another one has the place, that one is to be found
                if code != TAKEN:
                    raise HostFailed(await asyncio.to_thread(self._story_of_failure, code))
            await asyncio.sleep(_LOOK)

    async def _connect(self) -> bool:
        """Connect to the host process of the place; tell whether it is held now."""
        try:
            self._reader, self._writer = await asyncio.open_unix_connection(self._place.socket)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        self._pid = _peer(self._writer)
        try:
            return await self._greeted()
        except (OSError, EOFError):  # it has just ended
            return False
        finally:
            if not self._is_held:
                self._writer.close()

    async def _greeted(self) -> bool:
        """Take the first word of a host process; tell whether it is held now."""
        match await self._word(self._task.silence):
            case NowHeld(run=run) if run == self._task.run:
                self._is_held = True
            case NowHeld():  # its server has restarted: it knows nothing that this one needs
                self._end_earlier()
            case HeldByAnother():
                raise HostHeld(f"another agent holds the host {self.host}")
            case _:  # it does not answer
                self._kill()
        return self._is_held

    async def _last_word(self) -> str:
        while True:
            try:
                said = await self._word(self._task.silence / 2)
                if said is None:
                    self._writer.write(b"?")
                    said = await self._word(self._task.silence / 2)
            except (OSError, EOFError):
                return "the host process died"
            if said is None:
                self._kill()
                return f"the host process did not answer for {self._task.silence:.0f} s: killed"
            if isinstance(said, HostEnded):
                return said.why

    async def _word(self, seconds: float) -> Word | None:
        """Return the next word; None if there is none in time.

        Raises:
            EOFError: If the process has gone without one.
        """
        try:
            line = await asyncio.wait_for(self._reader.readline(), seconds)
        except TimeoutError:
            return None
        if not line.endswith(b"\n"):
            raise EOFError
        return word(line)

    def _end_earlier(self) -> None:
        """Ask a host process of an earlier run to end, once: it may finish what runs."""
        if self._pid not in self._asked_to_end:
            self._asked_to_end.add(self._pid)
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)

    def _kill(self) -> None:
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        """Start a host process; what it says goes to a file, since it outlives this one."""
        command = [sys.executable, "-P", "-m", "pooldeck.hosts"]
        command += ["--pool", self._task.pool, "--name", self.host]
        command += [f"--has={name}={count:g}" for name, count in self._has.items()]
        command += ["--place", str(self._place.stem), "--run", self._task.run]
        with self._place.log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - the interpreter and our own module
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self._environment(),
            )

    def _environment(self) -> dict[str, str]:
        """Return its environment, the way to the server in it: nobody else can read it."""
        found = {
            name: value
            for name, value in inherited(os.environ).items()
            if name not in self._dropped
        }
        found |= {"POOLDECK_SERVER": self._task.server, TOKEN: self._task.token}
        if self._task.authority is not None and _AUTHORITY not in found:
            authority = self._place.stem.with_suffix(".pem")
            authority.write_text(self._task.authority)
            found[_AUTHORITY] = str(authority)
        return found

    def _story_of_failure(self, code: int) -> str:
        """Return how a host process ended that was never there, with its last lines."""
        lines = self._place.log.read_text(errors="replace").strip().splitlines()
        last = " / ".join(line[:_LONGEST_LINE] for line in lines[-_LAST_LINES:])
        return f"the host process ended with exit code {code}: {last or 'it said nothing'}"


def _peer(writer: asyncio.StreamWriter) -> int:
    """Return the process id of who listens at the other end; 0 where the system does not say."""
    if not hasattr(socket, "SO_PEERCRED"):
        return 0
    pipe = writer.get_extra_info("socket")
    sent = pipe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", sent)[0]
    return pid
