"""`python -m bench.hosts_dask`: no-ops through two hosts that Dask offers, and as plain Dask tasks.

Both go over the same two Dask workers, one after the other in each round, with one process slot a
host and one thread a worker for plain tasks. Neither writes anything down: this compares transports
and schedulers. Plain tasks are measured as Dask is set by default, and with `worker-saturation:
inf`, its best.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

from distributed import Client

from bench.figures import Figure, of_rounds, percentile, ratios, table
from bench.functions import skip
from pooldeck.engines.port import EngineSpec, HostTask
from pooldeck.hosts.model import HostRefused, HostTerms
from pooldeck.hosts.remote_pool import RemotePool
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.wire import Hello, NotTaken, encode, from_host
from pooldeck.kinds import PoolKind
from pooldeck.outcome import Outcome
from pooldeck.pools.listener import PoolListener, RunningCall
from pooldeck.pools.model import PoolSpec
from pooldeck.protocol import Call
from pooldeck_server.runtime.hosts.companion import EngineCompanion

_HOSTS: Final = 2
_ALONE: Final = 200  # calls that are made one at a time
_LONGEST: Final = 120.0  # seconds
_ROOT: Final = Path(__file__).parent.parent
_SATURATION: Final = "DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION"


class _Counting(PoolListener):
    """Feeds a pool with no-ops as it has room, and counts their ends."""

    def __init__(self) -> None:
        self.pool: RemotePool
        self.left = 0
        self._to_come = 0
        self._number = 0
        self._over = asyncio.Event()

    async def run(self, tasks: int) -> float:
        """Return the seconds that so many no-ops take."""
        began = time.perf_counter()
        self.left = self._to_come = tasks
        self._over.clear()
        self.has_room()
        await asyncio.wait_for(self._over.wait(), _LONGEST)
        return time.perf_counter() - began

    def has_room(self) -> None:
        while self._to_come:
            call = Call(f"t{self._number}", 1, "bench.functions.noop", b"[]", b"{}")
            if not self.pool.post(call, is_quick=True):
                return
            self._number += 1
            self._to_come -= 1

    def finished(self, run: RunningCall, outcome: Outcome) -> None:
        if outcome.error is not None:
            raise RuntimeError(f"{run.call.function} failed: {outcome.error.message}")
        self.left -= 1
        if not self.left:
            self._over.set()

    def returned(self, calls: list[Call]) -> None:
        self._to_come += len(calls)
        self.has_room()


def main() -> None:
    """Measure, and print what was found beside what is wanted."""
    parser = argparse.ArgumentParser(prog="python -m bench.hosts_dask", description=__doc__)
    parser.add_argument("--tasks", type=int, default=5000, help="no-ops in each round")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    figures = asyncio.run(measure(given.tasks, given.rounds))
    print(table(figures))


async def measure(tasks: int, rounds: int) -> list[Figure]:
    """Return what hosts on Dask and plain Dask tasks take, and how they compare."""
    by_default = await _compared(tasks, rounds)
    at_best = await _compared(tasks, rounds, **{_SATURATION: "inf"})
    hosts = [*by_default.hosts, *at_best.hosts]
    alone = [*by_default.alone, *at_best.alone]
    return [
        of_rounds("no-ops through two hosts on Dask", hosts, "per s"),
        of_rounds("  plain Dask tasks, by default", by_default.plain, "per s"),
        of_rounds("  ratio", ratios(by_default.hosts, by_default.plain), "", at_least=10.0),
        of_rounds("  plain Dask tasks, at best", at_best.plain, "per s"),
        of_rounds("  ratio", ratios(at_best.hosts, at_best.plain), "", at_least=5.0),
        Figure("one at a time, p50", 1e3 * percentile(alone, 50), "ms"),
        Figure("  plain Dask task, p50", 1e3 * statistics.median(by_default.plain_alone), "ms"),
    ]


class _Found:
    """What the rounds of one cluster have found."""

    def __init__(self) -> None:
        self.hosts: list[float] = []
        self.plain: list[float] = []
        self.alone: list[float] = []
        self.plain_alone: list[float] = []


async def _compared(tasks: int, rounds: int, **environment: str) -> _Found:
    found = _Found()
    with tempfile.TemporaryDirectory() as name, _cluster(Path(name), environment) as scheduler:
        async with (
            _pool(scheduler) as counting,
            Client(scheduler, asynchronous=True, set_as_default=False) as client,
        ):
            await counting.run(1000)  # the first ones find cold caches
            await _plain(client, 200, -1)
            for n in range(rounds):
                found.hosts.append(tasks / await counting.run(tasks))
                found.plain.append(tasks / await _plain(client, tasks, n))
            for n in range(_ALONE):
                found.alone.append(await counting.run(1))
                if n % 10 == 0:
                    found.plain_alone.append(await _plain(client, 1, 1000 + n))
    return found


async def _plain(client: Client, tasks: int, batch: int) -> float:
    """Return the seconds that so many plain tasks take."""
    began = time.perf_counter()
    numbers = range(batch * 1_000_000, batch * 1_000_000 + tasks)
    futures = client.map(skip, numbers, pure=False)
    await client.gather(futures)
    return time.perf_counter() - began


@asynccontextmanager
async def _pool(scheduler: str) -> AsyncIterator[_Counting]:
    """Have a pool on the hosts that a cluster offers, ready."""
    counting = _Counting()
    terms = HostTerms(f"bench{os.getpid()}", time.time_ns())
    spec = PoolSpec(name="bench", kind=PoolKind.PROCESS, size=1, modules=("bench.functions",))
    counting.pool = pool = RemotePool(spec, terms, counting)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = FrameStream(reader, writer)
        received = await stream.receive()
        hello = None if received is None else from_host(received[1])
        try:
            if isinstance(hello, Hello):
                pool.attach(hello, stream)
        except HostRefused as refused:
            stream.send(0, encode(NotTaken(str(refused), refused.is_final)))
            stream.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    task = HostTask(
        terms.deck, terms.term, "bench", f"127.0.0.1:{port}", "none", version("pooldeck")
    )
    companion = EngineCompanion("dask", EngineSpec(scheduler, task), pool, _HOSTS)
    companion.start()
    try:
        async with asyncio.timeout(_LONGEST):
            while len(pool.staffed) < _HOSTS:  # noqa: ASYNC110 - it is asked, and tells nobody
                await asyncio.sleep(0.05)
        yield counting
    finally:
        await pool.stop(0.0)
        await companion.stop()
        server.close()


@contextmanager
def _cluster(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a scheduler and two workers; yield the scheduler's address."""
    own = {**os.environ, **environment, "PYTHONPATH": str(_ROOT)}
    file = folder / "scheduler.json"
    cli = (sys.executable, "-m")
    common = ("--host", "127.0.0.1", "--no-dashboard")
    with ExitStack() as held:
        place = ("--port", "0", "--scheduler-file", str(file))
        _start(held, [*cli, "distributed.cli.dask_scheduler", *common, *place], own)
        while not (file.exists() and (text := file.read_text())):
            time.sleep(0.05)
        scheduler: str = json.loads(text)["address"]
        for n in range(_HOSTS):
            # The agent takes one of the two: one is left for plain tasks.
            options = ("--nanny", "--nthreads", "2", "--name", f"host-{n}")
            preload = ("--preload", "pooldeck.engines.dask_host")
            storage = ("--local-directory", str(folder))
            worker = (*cli, "distributed.cli.dask_worker", scheduler, *common)
            _start(held, [*worker, *options, *preload, *storage], own)
        yield scheduler


def _start(held: ExitStack, command: list[str], environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL
    )
    held.callback(process.wait)
    held.callback(os.killpg, process.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
