"""A remote pool with real host processes, which dial it over loopback."""

import asyncio
import os
import secrets
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from pooldeck.hosts.model import HostRefused, HostTerms
from pooldeck.hosts.remote_pool import RemotePool
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.wire import Gone, Hello, NotTaken, Over, encode, from_host
from pooldeck.kinds import PoolKind
from pooldeck.marks import marked
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.model import PoolSpec
from tests import FUNCTIONS
from tests.support.pooled import BOUND, Listener, eventually

QUICK = HostTerms(deck="deck", term=1, lease=2.0, renew=0.2, margin=1.0)
PATIENT = HostTerms(deck="deck", term=1, lease=60.0, renew=0.5, margin=5.0)
"""Leases that do not end in a test, however slow the machine is."""


class Hosts:
    """A remote pool that listens, and the host processes that were started for it."""

    def __init__(
        self,
        folder: Path,
        spec: PoolSpec,
        terms: HostTerms,
        told: PoolListener | None = None,
    ) -> None:
        self.folder = folder
        self.spec = spec
        self.terms = terms
        self.listener = Listener()
        self.gone: list[Gone] = []
        self.refusals: list[str] = []
        self.processes: dict[str, Process] = {}
        self.pool = RemotePool(spec, terms, told or self.listener, on_gone=self.gone.append)
        self.listener.pool = self.pool  # type: ignore[assignment]
        self.port = 0

    async def listen(self) -> None:
        """Take hosts from now on."""
        self._server = await asyncio.start_server(self._greet, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def be_deaf(self) -> None:
        """Take no more hosts; those that are there stay."""
        self._server.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = FrameStream(reader, writer)
        received = await stream.receive()
        if received is None:
            stream.close()
            return
        hello = from_host(received[1])
        assert isinstance(hello, Hello)
        try:
            self.pool.attach(hello, stream)
        except HostRefused as refused:
            self.refusals.append(str(refused))
            answer = (
                Over(str(refused)) if hello.rejoin else NotTaken(str(refused), refused.is_final)
            )
            stream.send(0, encode(answer))
            stream.close()

    async def start(self, name: str = "a", port: int | None = None, **variables: str) -> Process:
        """Start a host process in a session of its own."""
        log = (self.folder / f"{name}.{secrets.token_hex(2)}.log").open("wb")
        with log:
            process = await self._exec(name, port or self.port, log, variables)
        self.processes[f"{name} {process.pid}"] = process
        return process

    async def _exec(
        self, name: str, port: int, log: BinaryIO, variables: Mapping[str, str]
    ) -> Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pooldeck.hosts", "--pool", self.spec.name, "--name", name),
            *("--state", str(self.folder), "--path", str(FUNCTIONS)),
            env={
                **os.environ,
                "POOLDECK_SERVER": f"127.0.0.1:{port}",
                "POOLDECK_TOKEN": "secret",
                **variables,
            },
            start_new_session=True,
            stderr=log,
        )

    async def ready(self, slots: int) -> None:
        """Return when there are so many slots."""
        await eventually(lambda: self.pool.free >= slots)

    async def close(self) -> None:
        """End the pool, and every host process; nothing that they started is left."""
        boots = {host.boot for host in self.pool.hosts}
        await self.pool.stop(0.1)
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.terminate()
        for process in self.processes.values():
            try:
                await asyncio.wait_for(process.wait(), 15)
            except TimeoutError:
                process.kill()
                await process.wait()
        self._server.close()
        await eventually(lambda: not any(map(marked, boots)))


@asynccontextmanager
async def hosts(
    folder: Path,
    /,
    kind: str = "process",
    size: int = 2,
    *,
    names: tuple[str, ...] = ("a",),
    terms: HostTerms = PATIENT,
    modules: tuple[str, ...] = ("pool_functions",),
    **options: Any,
) -> AsyncIterator[Hosts]:
    """Run a remote pool with host processes for the time of a test."""
    options = {"boot_seconds": BOUND, **options}
    spec = PoolSpec(name="p", kind=PoolKind(kind), size=size, modules=modules, **options)
    running = Hosts(folder, spec, terms)
    await running.listen()
    try:
        for name in names:
            await running.start(name)
        yield running
    finally:
        await running.close()


@asynccontextmanager
async def pool_on_a_host(
    folder: Path, /, kind: str, size: int, *, is_stopped: bool = False, **options: Any
) -> AsyncIterator[Listener]:
    """Run a remote pool with one host as `pooled.pool` does one here."""
    async with hosts(folder, kind, size, names=(), **options) as there:
        if is_stopped:
            there.pool.drain()
        await there.start()
        yield there.listener


def host_process(there: Hosts, name: str = "a") -> psutil.Process:
    """Return the process of a host that runs."""
    for key, process in there.processes.items():
        if key.startswith(f"{name} ") and process.returncode is None:
            return psutil.Process(process.pid)
    raise AssertionError(f"no host {name} runs")
