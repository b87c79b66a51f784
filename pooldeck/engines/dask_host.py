"""Dask's workers as places for hosts: `dask worker ... --preload pooldeck.engines.dask_host`.

The preload gives the Dask worker the resource that agents ask for, once it knows that they can run:
a task that a worker cannot load would end the worker. An agent is a Dask task on the worker's event
loop; it holds a host process, which outlives the Dask worker.

The configuration of Dask has the rest, as `DASK_POOLDECK__MODULES` in the environment or in a file:
`pooldeck.modules` are modules that must be there, `pooldeck.has` is what the machine has.
"""

import asyncio
import importlib.util
import logging
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from itertools import repeat
from typing import Any, Final

import dask
import msgspec
from distributed import Worker, get_worker

from pooldeck.engines.holding import Holding, HostFailed, HostHeld
from pooldeck.engines.port import HostTask

_log = logging.getLogger(__name__)
RESOURCE: Final = "pooldeck"
"""One place for one host process; no worker has it but by this preload."""

_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")  # what a host's name has not
_TRIES: Final = 60  # to find a host that nobody holds
_PAUSE: Final = 0.5  # seconds between two tries
_INTERNAL: Final = "DASK_INTERNAL_INHERIT_CONFIG"


def dask_setup(worker: Worker) -> None:
    """Offer this Dask worker as a place for a host, if what runs there can be found."""
    if missing := [name for name in _modules() if not _is_there(name)]:
        _log.error("no place for Pooldeck's hosts: no module named %s", ", ".join(missing))
        return
    # `set_resources` tells the scheduler, which does not know the worker yet.
    worker.state.total_resources[RESOURCE] = 1.0
    worker.state.available_resources[RESOURCE] = 1.0


async def agent(number: int, encoded: bytes) -> None:
    """Hold a host process until it ends, and say what becomes of it.

    It may run twice, also at once: a host process has one holder.

    Args:
        number: The agent's number.
        encoded: A `HostTask` as JSON. An object of ours would be loaded with the task; what cannot
            be loaded ends the worker.
    """
    worker = get_worker()
    task = msgspec.json.decode(encoded, type=HostTask)
    news = _News(worker, task, number)
    if (here := version("pooldeck")) != task.version:
        news.ended(f"Pooldeck {here} is installed there, and {task.version} on the server")
        return
    try:
        holding = await _hold(task, worker)
    except HostFailed as error:
        news.ended(str(error))
        return
    news.offered(holding.host, is_adopted=holding.is_adopted)
    try:
        why = await holding.until_end()
    except asyncio.CancelledError:  # its worker is closed: the scheduler hears it, if it is there
        news.left()
        raise
    finally:
        holding.release()
    news.ended(why)


async def _hold(task: HostTask, worker: Worker) -> Holding:
    """Hold the first host process of this place that no other agent holds.

    Raises:
        HostFailed: If none can be had.
    """
    for name in _names(worker):
        holding = Holding(task, name, _has(), _of_the_nanny())
        with suppress(HostHeld):
            await holding.begin()
            return holding
        await asyncio.sleep(_PAUSE)
    raise HostHeld("other agents hold all hosts of this machine")


class _News:
    """What the companion hears of an agent, through the scheduler."""

    def __init__(self, worker: Worker, task: HostTask, number: int) -> None:
        self._worker = worker
        self._topic = task.topic
        self._said = {"term": task.term, "number": number, "machine": socket.gethostname()}
        self._said["host"] = str(worker.name)

    def offered(self, host: str, *, is_adopted: bool) -> None:
        self._said["host"] = host
        self._say(what="offered", is_adopted=is_adopted, worker=self._worker.address)

    def left(self) -> None:
        self._say(what="left")

    def ended(self, why: str) -> None:
        self._say(what="ended", why=why)

    def _say(self, **more: Any) -> None:
        self._worker.log_event(self._topic, self._said | more)


def _names(worker: Worker) -> Iterator[str]:
    """Yield the names that the host may have, each once more for each time that it is to be tried.

    A worker that was given no name is called by its address, which changes with each start: its
    hosts are called by their machine, and numbered.
    """
    if "://" not in (name := str(worker.name)):
        yield from repeat(_NO_NAME.sub("-", name), _TRIES)
    else:
        yield from (f"{socket.gethostname()}-{n}" for n in range(1, _TRIES + 1))


def _modules() -> Sequence[str]:
    found = dask.config.get("pooldeck.modules", ())
    return found.replace(",", " ").split() if isinstance(found, str) else tuple(found)


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:  # of a package that it is in
        return False


def _has() -> Mapping[str, float]:
    found = dask.config.get("pooldeck.has", {})
    return {str(name): float(count) for name, count in found.items()}


def _of_the_nanny() -> frozenset[str]:
    """Return the variables that a nanny sets for its worker, where nobody else has.

    With one thread for each library, every numeric function would run on one thread.
    """
    names = ("environ", "pre-spawn-environ")
    set_by_it = [dask.config.get(f"distributed.nanny.{name}", {}) for name in names]
    dropped = {
        str(name)
        for each in set_by_it
        for name, value in each.items()
        if os.environ.get(name) == str(value)
    }
    return frozenset(dropped | {_INTERNAL})
