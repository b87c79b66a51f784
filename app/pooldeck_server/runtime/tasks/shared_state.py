"""Shared state from the server's side: its process, who may reach it, and what is in it.

It owns the process and the folder of its socket. The process is started when the first worker
connects, which a doorbell tells until then: most servers never need it. Pools get the way there for
their workers; a worker's end is told to the process, which takes back its locks.

    pool ── Setup: address, key ──▶ worker ══ socket ══▶ state process ◀── line ── this
      └──── a worker has ended ───────────────────────────────▲
"""

import asyncio
import logging
import secrets
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pooldeck.access import Access, SharedLimits
from pooldeck.pools.launcher import Launched, Launcher, WorkerExit
from pooldeck.protocol import Setup
from pooldeck.shared.backend import BROKEN
from pooldeck.shared.errors import SharedError
from pooldeck.shared.host import StateProcess
from pooldeck.shared.snapshot import SharedSnapshot
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.tasks.doorbell import Doorbell
from pooldeck_server.runtime.tasks.socket_folder import SocketFolder
from pooldeck_server.settings import SharedSettings

if TYPE_CHECKING:  # as in `_open`
    from pooldeck.shared.connection import StateConnection

_log = logging.getLogger(__name__)
_KEY_BYTES: Final = 32
_PATIENCE: Final = 3.0  # seconds for the process to answer
_PAUSE: Final = 1.0  # seconds before it is tried again to start one


@dataclass(kw_only=True, eq=False)
class Shared:
    """The state that tasks share, for as long as this run of the server."""

    settings: SharedSettings
    annotations: Annotations
    clock: Clock
    boot: str  # the mark of this run of the server
    lost_at: int | None = field(init=False, default=None)  # in microseconds since the epoch
    _line: "StateConnection | None" = field(init=False, default=None)
    _starting: asyncio.Task[None] | None = field(init=False, default=None)
    _is_there: bool = field(init=False, default=False)  # the process; or its successor soon is

    def __post_init__(self) -> None:
        settings = self.settings
        self.limits = SharedLimits(settings.names, settings.value_bytes, settings.total_bytes)
        self._folder = SocketFolder(self.boot)
        # The way there, for the workers.
        self.access = Access(self._folder.socket, secrets.token_bytes(_KEY_BYTES), self.limits)
        self._process = StateProcess(self.boot, self.access, self._note_loss)
        self._bell = Doorbell(self.access.address, self._wanted)
        self._executor = ThreadPoolExecutor(1, "shared")
        self._since = self.clock.now()

    async def start(self) -> None:
        """Wait for the first worker that shares something.

        Raises:
            StartupError: If there can be no socket for it.
        """
        try:
            self._folder.make()
            self._bell.hang()
        except OSError as error:
            raise StartupError(
                f"the server cannot start without a socket for shared state: {error}"
            ) from error

    def _wanted(self) -> None:
        self._starting = asyncio.create_task(self._start_process())

    async def _start_process(self) -> None:
        """Start the process, however often that fails: workers wait for it, each for a while."""
        while not self._is_there:
            try:
                await self._process.start()
            except OSError as error:
                _log.warning("no process for shared state could be started: %s", error)
                await asyncio.sleep(_PAUSE)
            else:
                self._is_there = True
        self._bell.take_away()  # who has rung connects to the process now

    async def stop(self) -> None:
        """End the process, if there is one, and with it all that is shared."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._bell.take_away()
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        if self._is_there:
            await self._process.stop()
        if self._line is not None:
            self._line.close()
        await asyncio.to_thread(self._folder.remove)

    async def picture(self) -> SharedSnapshot | None:
        """Return what is shared; None if the process does not answer, as just after its death."""
        if not self._is_there:
            return SharedSnapshot(pid=None, since=self._since, bytes=0)
        asked = asyncio.get_running_loop().run_in_executor(
            self._executor, self._request, "snapshot"
        )
        try:
            found = await asyncio.wait_for(asked, _PATIENCE)
        except (SharedError, TimeoutError):
            return None
        return msgspec.convert(found, SharedSnapshot)

    def launcher(self, inner: Launcher) -> Launcher:
        return _ReportingLauncher(inner, self)

    def worker_ended(self, worker: str) -> None:
        """Have the locks of a worker taken back, soon."""
        if not self._is_there:
            return
        self._executor.submit(self._forget, worker)

    def _note_loss(self) -> None:
        _log.warning("all shared state is lost: values and locks of pooldeck.shared begin anew")
        self.annotations.annotate("shared_lost")
        self.lost_at = self.clock.now()

    def _forget(self, worker: str) -> None:
        try:
            self._request("release_worker", worker)
        except SharedError as error:
            _log.warning(
                "the locks of worker %s could not be taken back: %s",
                *(worker, error),
                extra=about(worker=worker),
            )

    def _request(self, operation: str, *arguments: Any) -> Any:
        """Ask the process, once more if another has taken its place; in the executor's thread."""
        try:
            return self._open().request(operation, *arguments)
        except BROKEN:
            self._line = None
        try:
            return self._open().request(operation, *arguments)
        except BROKEN as error:
            self._line = None
            raise SharedError(f"its connection broke: {error}") from error

    def _open(self) -> "StateConnection":
        # Only a server with such a process needs what multiprocessing has for connections.
        from pooldeck.shared.connection import StateConnection  # noqa: PLC0415

        if self._line is None:
            self._line = StateConnection(self.access)
        return self._line


@dataclass(frozen=True)
class _ReportingLauncher:
    """Starts workers, and tells the shared state when their processes have ended."""

    inner: Launcher
    shared: Shared

    def launch(
        self, setup: Setup, boot: str, pipe: socket.socket, control: socket.socket
    ) -> Launched:
        launched = self.inner.launch(setup, boot, pipe, control)

        def reap() -> WorkerExit:
            self.shared.worker_ended(setup.worker)
            return launched.reap()

        return Launched(launched.pid, reap)
