"""Hosts that are killed, stopped and cut off at random: every call is accounted for, once."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pooldeck.hosts.model import HostTerms
from tests.support.host_ledger import Ledger, Relay
from tests.support.hosted import PATIENT, QUICK, Hosts, hosts
from tests.support.pooled import eventually

_SEED = int(os.environ.get("POOLDECK_SEED", "1"))


class _Faults:
    """Does bad things to two hosts, and starts again what has ended."""

    def __init__(
        self, there: Hosts, relays: dict[str, Relay], rng: random.Random, stops: list[float]
    ) -> None:
        self._stops = stops
        self.done: Counter[str] = Counter()
        self._there = there
        self._relays = relays
        self._rng = rng
        self._hosts: dict[str, asyncio.subprocess.Process] = {}

    async def start(self) -> None:
        for name in self._relays:
            await self._again(name)

    async def _again(self, name: str) -> None:
        self._hosts[name] = await self._there.start(name, self._relays[name].port)

    async def strike(self) -> None:
        """Do one of the things to one of the hosts."""
        kinds: dict[str, Callable[[str], Awaitable[None]]] = {
            "kill host": self._kill,
            "stop host": self._stop,
            "kill keeper": self._kill_keeper,
            "kill worker": self._kill_worker,
            "cut link": self._cut,
        }
        kind = self._rng.choice([*kinds, "cut link"])
        name = self._rng.choice([*self._hosts])
        self.done[kind] += 1
        with suppress(psutil.NoSuchProcess, ProcessLookupError, IndexError):
            await kinds[kind](name)
        for each, process in self._hosts.items():
            if process.returncode is not None:
                await self._again(each)

    async def _kill(self, name: str) -> None:
        self._hosts[name].kill()
        await self._hosts[name].wait()

    async def _stop(self, name: str) -> None:
        self._hosts[name].send_signal(signal.SIGSTOP)
        await asyncio.sleep(self._rng.choice(self._stops))
        self._hosts[name].send_signal(signal.SIGCONT)

    async def _kill_keeper(self, name: str) -> None:
        self._children(name, "marks.py")[0].kill()

    async def _kill_worker(self, name: str) -> None:
        self._rng.choice(self._children(name, "start.py")).kill()

    async def _cut(self, name: str) -> None:
        self._relays[name].cut()

    def _children(self, name: str, program: str) -> list[psutil.Process]:
        found = []
        for child in psutil.Process(self._hosts[name].pid).children():
            with suppress(psutil.NoSuchProcess):
                if program in " ".join(child.cmdline()):
                    found.append(child)
        return found


async def _run(
    folder: Path, calls: int, pause: float, stops: list[float], terms: HostTerms
) -> None:
    rng = random.Random(_SEED)
    async with hosts(folder, names=(), modules=("host_functions",), terms=terms) as there:
        relays = {name: Relay(there.port) for name in "ab"}
        for relay in relays.values():
            await relay.start()
        faults = _Faults(there, relays, rng, stops)
        ledger = Ledger(there)
        await faults.start()
        await there.ready(4)
        for n in range(calls):
            ledger.call([f"{n}"], rng.choice([0.0, 0.02, 0.05, 0.2]))
        while len(there.listener.outcomes) < calls:
            await asyncio.sleep(rng.uniform(0.5, 1.5) * pause)
            await faults.strike()
        await eventually(lambda: len(there.listener.outcomes) == calls)
        found = f"{dict(faults.done)} {dict(ledger.kinds())} {len(there.pool.hosts)} boots"
        (folder / "found").write_text(found)
        ledger.check(calls)
        for relay in relays.values():
            await relay.close()


async def test_no_call_starts_twice_or_runs_on_whatever_happens(tmp_path: Path) -> None:
    await _run(tmp_path, 300, 0.8, [0.3], PATIENT)


@pytest.mark.soak
@pytest.mark.endurance
@pytest.mark.timeout(7200)
async def test_no_call_of_many_starts_twice_or_runs_on_whatever_happens(tmp_path: Path) -> None:
    stops = [0.5, QUICK.lease + QUICK.margin + 0.5]
    await _run(tmp_path, int(os.environ.get("POOLDECK_CALLS", "10000")), 2.0, stops, QUICK)
