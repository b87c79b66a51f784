"""Dask distributed as an engine: agents are Dask tasks, places are Dask's workers.

Only a companion process loads this. It submits an agent for each host that is wanted, and looks
every half second what has become of it; the agents' own words come as events of the scheduler. No
call of a pool goes through Dask, no result of an agent is gathered. While the scheduler is away, it
is tried for ever: agents are submitted again under the same keys, and join those that still run.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Final

import msgspec
from distributed import Client, Future, Security, fire_and_forget

from pooldeck.engines import dask_host
from pooldeck.engines.dask_words import ENDS, LONGEST_TEXT, in_words
from pooldeck.engines.port import EngineListener, EngineSpec, HostOffer
from pooldeck.engines.slots import AgentSlot, Slots

_CONNECT: Final = 5.0  # seconds for the scheduler to answer
_LOOK: Final = 0.5  # seconds between two looks at the agents
_STUCK: Final = 3.0  # seconds that an agent waits behind another one before it is moved
_PLACES: Final = 2.0  # seconds between two looks at where they run
_PAUSE: Final = 1.0  # seconds before the scheduler is tried again
_LONGEST: Final = 10.0
_PATIENCE: Final = 30.0  # seconds that agents wait for a place before that is said


class DaskEngine:
    """Keeps agents on a Dask cluster: `HostEngine` for one pool."""

    def __init__(
        self,
        spec: EngineSpec,
        listener: EngineListener,
        wanted: int,
        numbers: tuple[int, ...],
        following: int,
    ) -> None:
        self._spec = spec
        self._listener = listener
        self._wanted = wanted
        self._slots = Slots(numbers, following)
        self._agent = msgspec.json.encode(spec.task)
        self._changed = asyncio.Event()
        self._futures: dict[int, Future[Any]] = {}
        self._last_words: dict[int, str] = {}
        self._waiting_since: float | None = None
        self._next_places = 0.0
        self._complaint: str | None = None

    async def start(self) -> None:
        """Begin to look for places, in the background, for ever."""
        self._keeping = asyncio.create_task(self._keep())

    def want(self, hosts: int) -> None:
        """Have so many agents; those too many that have no place yet are withdrawn."""
        self._wanted = hosts
        self._changed.set()

    async def stop(self) -> None:
        """Withdraw what has no place yet, and stop looking. Host processes go on."""
        self._wanted = 0
        self._keeping.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeping

    async def _keep(self) -> None:
        pause = _PAUSE
        while True:
            try:
                client = await self._connected()
            except (OSError, TypeError, ValueError, RuntimeError) as error:
                self._listener.said(in_words(error, self._spec.scheduler))
                await asyncio.sleep(pause)
                pause = min(_LONGEST, pause * 2)
            else:
                pause = _PAUSE
                await self._serve(client)

    async def _connected(self) -> Client:
        """Return a client of the scheduler.

        Raises:
            OSError: If it does not answer; so does `CommClosedError`.
            TypeError: If a way by TLS lacks certificates.
        """
        client: Client = await Client(
            self._spec.scheduler,
            asynchronous=True,
            set_as_default=False,
            timeout=_CONNECT,
            security=self._security(),
            name=f"pooldeck-{self._spec.task.pool}",
        )
        return client

    def _security(self) -> Security | None:
        """Return the certificates of the settings; without any, Dask's own configuration has them.

        It is the client's side alone; workers and scheduler have theirs.
        """
        files = {
            "tls_ca_file": self._spec.authority,
            "tls_client_cert": self._spec.certificate,
            "tls_client_key": self._spec.key,
        }
        given = {name: path for name, path in files.items() if path is not None}
        return Security(require_encryption=True, **given) if given else None

    async def _serve(self, client: Client) -> None:
        """Keep the agents until the scheduler is gone."""
        try:
            self._slots.asked_anew()
            client.subscribe_topic(self._spec.task.topic, self._hear_event)
            for event in await client.get_events(self._spec.task.topic):
                self._hear_event(event)  # what was said while nobody listened
            while client.status == "running":
                self._look(client)
                await self._look_for_places(client)
                await self._withdraw(client)
                self._ask(client)
                self._judge()
                await self._until_changed()
            self._listener.said(f"the scheduler {self._spec.scheduler} is gone; it is tried again")
        except OSError as error:
            self._listener.said(in_words(error, self._spec.scheduler))
        except asyncio.CancelledError:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT):
                    await self._look_for_places(client, at_once=True)
                    await self._withdraw(client)
            raise
        finally:
            self._futures.clear()
            with suppress(OSError, TimeoutError):
                await client.close(timeout=1)

    async def _until_changed(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), _LOOK)
        self._changed.clear()

    def _look(self, client: Client) -> None:
        """Take the ends of agents; those of a scheduler that is gone are none."""
        for number, future in list(self._futures.items()):
            if future.status != "pending" and client.status == "running":
                self._ended(number, str(future.status))

    async def _look_for_places(self, client: Client, *, at_once: bool = False) -> None:
        """Take that agents are without a place whose Dask workers died without a word.

        One that has just ended is missed once; what becomes of it is heard before the next time.
        """
        if not at_once and monotonic() < self._next_places:
            return
        self._next_places = monotonic() + _PLACES
        processing = await client.processing()
        for slot in self._slots.holding:
            is_there = self._spec.task.key(slot.number) in processing.get(slot.place, ())
            if is_there or not (slot.is_missed or at_once):
                slot.is_missed = not is_there
            elif slot.host is not None:
                self._listener.left(slot.host)
                self._slots.left(slot.number)
        if stuck := self._stuck(processing):
            await self._move(client, stuck, processing)

    def _stuck(self, processing: Mapping[str, Sequence[str]]) -> list[AgentSlot]:
        """Return the agents that wait behind another one on a worker, and have for a while.

        That is where Dask puts those that come before its other workers do.
        """
        crowded = {
            key
            for keys in processing.values()
            if len(agents := [key for key in keys if _is_agent(key)]) > 1
            for key in agents
        }
        since = monotonic() - _STUCK
        waiting = [slot for slot in self._slots.waiting if slot.asked_at <= since]
        return [slot for slot in waiting if self._spec.task.key(slot.number) in crowded]

    async def _move(
        self,
        client: Client,
        stuck: Sequence[AgentSlot],
        processing: Mapping[str, Sequence[str]],
    ) -> None:
        """Ask for others in the place of agents that are stuck, on workers that have none."""
        scheduler: Any = client.scheduler
        workers = (await scheduler.identity(n_workers=-1))["workers"]
        free = [
            address
            for address, worker in workers.items()
            if worker["resources"].get(dask_host.RESOURCE)
            and not any(map(_is_agent, processing.get(address, ())))
        ]
        for slot, place in zip(stuck, free, strict=False):
            future = self._futures.pop(slot.number)
            self._slots.aim(slot.number, place, monotonic())
            self._listener.placing(self._slots.numbers, self._slots.following)
            await client.cancel([future], force=True)

    def _ended(self, number: int, status: str) -> None:
        self._futures.pop(number).release()
        slot = self._slots.get(number)
        why = self._last_words.pop(number, ENDS.get(status, f"Dask calls it {status}"))
        host = None if slot is None else slot.host
        if slot is not None:
            self._slots.ended(number, self._wanted, monotonic())
        self._complaint = why if host is None else None
        self._listener.placing(self._slots.numbers, self._slots.following)
        self._listener.ended(number, host, why)

    async def _withdraw(self, client: Client) -> None:
        dropped = self._slots.want(self._wanted, monotonic())
        futures = [future for n in dropped if (future := self._futures.pop(n, None)) is not None]
        if futures:
            await client.cancel(futures, force=True)
        if dropped:
            self._listener.placing(self._slots.numbers, self._slots.following)

    def _ask(self, client: Client) -> None:
        """Submit the agents that are due; their numbers are on record before."""
        due = list(self._slots.due(monotonic()))
        if due:
            self._listener.placing(self._slots.numbers, self._slots.following)
        for slot in due:
            aim = {} if slot.aim is None else {"workers": [slot.aim], "allow_other_workers": True}
            future = client.submit(
                dask_host.agent,
                slot.number,
                self._agent,
                key=self._spec.task.key(slot.number),
                pure=False,
                retries=0,
                resources={dask_host.RESOURCE: 1},
                **aim,
            )
            fire_and_forget(future)  # it outlives this client
            self._futures[slot.number] = future
            slot.is_asked = True
            slot.asked_at = monotonic()

    def _hear_event(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """Take what an agent says."""
        _, said = event
        task = self._spec.task
        if not isinstance(said, Mapping) or said.get("term") != task.term:
            return
        number, host = int(said["number"]), str(said["host"])
        match said["what"]:
            case "offered":
                self._slots.holds(number, host, str(said["worker"]), monotonic())
                self._complaint = None
                offer = HostOffer(number, host, str(said["machine"]), bool(said["is_adopted"]))
                self._listener.offered(offer)
            case "left":
                self._slots.left(number)
                self._listener.left(host)
            case "ended":
                self._last_words[number] = str(said["why"])[:LONGEST_TEXT]
        self._changed.set()

    def _unplaced(self) -> tuple[int, ...]:
        slots = map(self._slots.get, self._slots.numbers)
        return tuple(slot.number for slot in slots if slot is not None and slot.held_since is None)

    def _judge(self) -> None:
        """Say why there are too few hosts, once it is no matter of moments."""
        lacking = len(self._unplaced())
        if not lacking or self._complaint is not None:
            self._waiting_since = None
            self._listener.said(self._complaint if lacking else None)
            return
        if self._waiting_since is None:
            self._waiting_since = monotonic()
        if monotonic() - self._waiting_since >= _PATIENCE:
            self._listener.said(
                f"{lacking} of {self._wanted} hosts have no place: no Dask worker at "
                f"{self._spec.scheduler} has one free (dask worker ... --nanny --preload "
                "pooldeck.engines.dask_host)"
            )
        else:
            self._listener.said(None)


def _is_agent(key: str) -> bool:
    return str(key).startswith("pooldeck-")
