"""Puts the server together: starts its parts in order, and stops them in reverse.

The order is the way of a task, backwards: whatever takes must be there before whatever gives.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from pooldeck.pools.launcher import SubprocessLauncher
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.out_of_memory import MemoryWatch
from pooldeck.pools.pool import Pool
from pooldeck_server.domain.clock import MINUTE, SECOND, Clock, SystemClock
from pooldeck_server.domain.errors import PooldeckError, StartupError
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.pools.controls import ServerRun
from pooldeck_server.domain.pools.history import STRETCH
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.runtime.advice.advisor import Advisor
from pooldeck_server.runtime.advice.placement import Placements
from pooldeck_server.runtime.advice.sizes import Sizes
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.experiments.experiments import Experiments
from pooldeck_server.runtime.experiments.pools import TemporaryPools
from pooldeck_server.runtime.lifecycle.draining import pools_running
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.lifecycle.recovery import recover, report
from pooldeck_server.runtime.lifecycle.runs import lifetime
from pooldeck_server.runtime.live.frames import Frames
from pooldeck_server.runtime.live.health import Health
from pooldeck_server.runtime.live.history import PoolHistory
from pooldeck_server.runtime.live.misplaced import MisplacedFunctions
from pooldeck_server.runtime.live.recent import LATELY, RecentMinutes
from pooldeck_server.runtime.live.sampler import Sampler, WorkerSampling
from pooldeck_server.runtime.live.server_notices import ServerNotices
from pooldeck_server.runtime.pipelines.pipelines import Pipelines
from pooldeck_server.runtime.pipelines.releases import Releases
from pooldeck_server.runtime.pipelines.waits import Waits
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.indexer import Indexer
from pooldeck_server.runtime.recording.log_file import open_log_file
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.waiters import Waiters
from pooldeck_server.runtime.server import Server
from pooldeck_server.runtime.tasks.control import TaskControl
from pooldeck_server.runtime.tasks.counts import WINDOW_SECONDS, Counts
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.durations import RecentDurations
from pooldeck_server.runtime.tasks.errors import Errors
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.incidents import LATELY_SECONDS, Incidents
from pooldeck_server.runtime.tasks.intake import Intake
from pooldeck_server.runtime.tasks.pool_controls import KeptControls, PoolControls
from pooldeck_server.runtime.tasks.pool_spec import clear_worker_files, pool_spec, worker_numbers
from pooldeck_server.runtime.tasks.profiles import Profiles
from pooldeck_server.runtime.tasks.requeue import Requeue
from pooldeck_server.runtime.tasks.scheduler import Scheduler
from pooldeck_server.runtime.tasks.shared_state import Shared
from pooldeck_server.settings import Settings
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Database, Reader

_DATABASE: Final = "pooldeck.sqlite3"


@asynccontextmanager
async def running(
    settings: Settings, clock: Clock | None = None, ending: Ending | None = None
) -> AsyncIterator[Server]:
    """Start a server, give it to the body, stop it at the end.

    `ending` lets it drain and end its pools while the body still runs.

    Raises:
        StartupError: If it cannot start; what was opened is closed again.
    """
    ending = ending or Ending(settings.grace_seconds)
    async with AsyncExitStack() as stack:
        try:
            server = await _Startup(settings, clock or SystemClock(), ending, stack).run()
        except PooldeckError as error:
            raise StartupError(f"the server cannot start: {error}") from error
        await stack.enter_async_context(pools_running(server, ending))
        yield server


@dataclass(eq=False)
class _Startup:
    """The parts as they come to be; each method builds on those before it."""

    settings: Settings
    clock: Clock
    ending: Ending
    stack: AsyncExitStack

    def __post_init__(self) -> None:
        self.changes = LiveChanges()
        self.waiters = Waiters()
        self.waits = Waits()
        self.sampler = Sampler()
        self.queues: dict[str, Dispatcher] = {}

    async def run(self) -> Server:
        """Start everything but the pools, which are made."""
        await self.open_store()
        await self.load()
        self.prepare_looks()
        self.start_recording()
        run = await self.begin_run()
        await self.make_pools(run.boot)
        await self.open_intake()
        await self.start_experiments(run.boot)
        return self.server(run)

    def _start(self, part: BackgroundPart) -> None:
        part.start()
        self.stack.push_async_callback(part.stop)

    async def open_store(self) -> None:
        """Open the store and what writes to it; nothing is written yet."""
        settings = self.settings
        location = settings.data / _DATABASE
        self.database = await asyncio.to_thread(Database.open, location, settings.durability)
        self.stack.callback(self.database.close)
        self.reader = Reader(self.database)
        self.stack.callback(self.reader.close)
        self.recorder = Recorder(self.database, settings.limits.pending_writes)
        self.annotations = Annotations(recorder=self.recorder, clock=self.clock)
        self.door = Door(is_closing=self.ending.begun.is_set, standing=self.database.standing)
        self.log_file = await self.stack.enter_async_context(open_log_file(settings.log))

    async def load(self) -> None:
        """Load what outlives a run."""
        recorder, reader, clock, settings = self.recorder, self.reader, self.clock, self.settings
        self.durations = RecentDurations(lambda name: reader.run(queries.durations, name))
        self.stack.push_async_callback(self.durations.stop)
        self.profiles = Profiles(
            recorder=recorder, clock=clock, kept=await reader.run(queries.profiles)
        )
        self.holds = Holds(
            recorder=recorder,
            clock=clock,
            annotations=self.annotations,
            changes=self.changes,
            held=await reader.run(queries.holds),
            deaths=settings.hold_after,
            seconds=settings.hold_seconds,
        )
        self.errors = Errors(
            recorder=recorder,
            reader=reader,
            clock=clock,
            changes=self.changes,
            fixed=tuple(await reader.run(queries.fixed_error_groups)),
        )
        self.controls = KeptControls(
            recorder=recorder,
            configured={name: pool.slots for name, pool in settings.pools.items()},
            kept=await reader.run(queries.controls),
        )
        self.counts = await _counts(reader, clock)
        self.incidents = await self._incidents()
        self.functions = await self._functions()
        present = clock.now() // SECOND // STRETCH * STRETCH
        self.recent = RecentMinutes(await reader.run(queries.stretches, present - LATELY, present))

    async def _incidents(self) -> Incidents:
        since = self.clock.now() - LATELY_SECONDS * SECOND
        return Incidents(
            recorder=self.recorder,
            clock=self.clock,
            holds=self.holds,
            annotations=self.annotations,
            counts=Counter(await self.reader.run(queries.incident_counts)),
            times=deque(await self.reader.run(queries.incident_times, since)),
        )

    async def _functions(self) -> Functions:
        """Begin with the functions that were known when the last server ended."""
        specs = await self.reader.run(queries.catalogue)
        placements = await self.reader.run(queries.placements)
        catalogue = Catalogue(self.settings.pool_kinds, specs or None, placements)
        return Functions(catalogue=catalogue, specs=specs, recorder=self.recorder, clock=self.clock)

    def prepare_looks(self) -> None:
        """Make what shows the server as it is."""
        clock = self.clock
        self.health = Health(
            queues=self.queues,
            clock=clock,
            sampler=self.sampler,
            durations=self.durations,
            counts=self.counts,
            incidents=self.incidents,
            holds=self.holds,
            functions=self.functions,
            recent=self.recent,
            controls=self.controls,
        )
        self.advisor = Advisor(profiles=self.profiles, functions=self.functions, queues=self.queues)
        notices = ServerNotices(
            clock=clock,
            standing=self.database.standing,
            recorder=self.recorder,
            log_file=self.log_file,
            errors=self.errors,
            misplaced=MisplacedFunctions(clock=clock, advised=self.advisor.misplaced),
        )
        self.frames = Frames(
            clock=clock,
            changes=self.changes,
            counts=self.counts,
            pools=self.health.all,
            notices=notices.all,
            incidents=self.incidents.lately,
            streams=self.settings.limits.streams,
        )

    def start_recording(self) -> None:
        """Start the writer, with all who are told of what it has committed."""
        history = PoolHistory(
            recorder=self.recorder,
            annotations=self.annotations,
            clock=self.clock,
            recent=self.recent,
            pools=self.health.all,
        )
        self.scheduler = Scheduler(recorder=self.recorder, reader=self.reader, clock=self.clock)
        self.requeue = Requeue(reader=self.reader, queues=self.queues, scheduler=self.scheduler)
        self._start(self.frames)
        self.stack.push_async_callback(self.waiters.release_all, 0)
        self.stack.push_async_callback(self.errors.stop)
        self.recorder.start(
            (history, self.errors, self.waits, self.counts, self.waiters, self.frames, self.requeue)
        )
        self.stack.push_async_callback(self.recorder.stop)
        self._start(history)
        self._start(self.profiles)

    async def begin_run(self) -> ServerRun:
        """Begin a run of the server, and sort out what the one before it left."""
        beginning = await self.stack.enter_async_context(
            lifetime(self.database, self.reader, self.recorder, self.clock)
        )
        became = await recover(self.recorder, self.clock)
        self.annotations.annotate(
            "start", was_clean=beginning.was_clean, down_seconds=beginning.down_seconds
        )
        return await report(beginning, became, self.counts, len(self.holds.all()), self.recorder)

    async def make_pools(self, boot: str) -> None:
        """Make the pools, not started, in the sizes and states that were set by hand."""
        self.shared = Shared(
            settings=self.settings.shared, annotations=self.annotations, clock=self.clock, boot=boot
        )
        await self.shared.start()
        self.stack.push_async_callback(self.shared.stop)
        clear_worker_files(self.settings)
        for name, settings in self.settings.pools.items():
            queue = self.queues[name] = Dispatcher(
                name=name,
                kind=settings.kind,
                make_pool=partial(self._pool, name, boot),
                recorder=self.recorder,
                reader=self.reader,
                clock=self.clock,
                durations=self.durations,
                profiles=self.profiles,
                holds=self.holds,
                incidents=self.incidents,
                functions=self.functions,
                log_file=self.log_file,
                memory=self.settings.memory_queue,
                is_closing=self.door.is_closing,
                on_change=partial(self._pool_changed, name),
            )
            self.controls.apply(queue.pool)

    def _pool(self, name: str, boot: str, listener: PoolListener) -> Pool:
        return Pool(
            pool_spec(name, self.settings, self.controls.size(name), self.shared.access),
            boot,
            worker_numbers(self.recorder, name),
            listener,
            memory=MemoryWatch(),
            launcher=self.shared.launcher(SubprocessLauncher()),
        )

    def _pool_changed(self, name: str) -> None:
        self.health.refresh(name)
        self.changes.mark_dirty()

    async def open_intake(self) -> None:
        """Start what brings tasks to the queues."""
        self.placements = Placements(
            functions=self.functions,
            pools=self.settings.pools,
            reader=self.reader,
            recorder=self.recorder,
            annotations=self.annotations,
            clock=self.clock,
            changes=self.changes,
        )
        await self.placements.give_back_measured()  # before anything is submitted
        self.stack.push_async_callback(self.requeue.stop)
        self.intake = await self._intake()
        self.tasks = TaskControl(
            recorder=self.recorder,
            reader=self.reader,
            clock=self.clock,
            queues=self.queues,
            intake=self.intake,
            waiters=self.waiters,
            door=self.door,
            annotations=self.annotations,
        )
        self._start(self._releases())
        self._start(self.scheduler)

    async def _intake(self) -> Intake:
        last = await self.reader.run(queries.last_seq_and_id)
        return Intake(
            recorder=self.recorder,
            reader=self.reader,
            clock=self.clock,
            ids=TaskIds(self.clock, after=last.id if last else None),
            last_seq=last.seq if last else 0,
            functions=self.functions,
            queues=self.queues,
            pools=self.settings.pools,
            counts=self.counts,
            holds=self.holds,
            door=self.door,
            scheduler=self.scheduler,
            on_tied=self.waits.add_due,
        )

    def _releases(self) -> Releases:
        return Releases(
            waits=self.waits,
            recorder=self.recorder,
            reader=self.reader,
            clock=self.clock,
            functions=self.functions,
            limits=self.settings.limits,
            next_key=self.intake.next_key,
            requeue=self.requeue,
        )

    async def start_experiments(self, boot: str) -> None:
        """Start what looks at the workers and at the record, and what makes experiments."""
        now = self.clock.now()
        await self.recorder.try_perform(
            lambda tx: records.stop_experiments(tx, now),
            "the end of an earlier server's experiment",
        )
        self.experiments = Experiments(
            settings=self.settings,
            clock=self.clock,
            recorder=self.recorder,
            reader=self.reader,
            pools=TemporaryPools(
                settings=self.settings, recorder=self.recorder, shared=self.shared, boot=boot
            ),
            functions=self.functions,
            holds=self.holds,
            queues=self.queues,
            door=self.door,
            changes=self.changes,
        )
        self.stack.push_async_callback(self.experiments.close)
        self._start(Indexer(recorder=self.recorder, reader=self.reader, clock=self.clock))
        self._start(WorkerSampling(sampler=self.sampler, queues=self.queues, changes=self.changes))

    def server(self, run: ServerRun) -> Server:
        """Return the parts that answer the web."""
        return Server(
            settings=self.settings,
            clock=self.clock,
            run=run,
            door=self.door,
            functions=self.functions,
            intake=self.intake,
            pipelines=Pipelines(
                intake=self.intake,
                reader=self.reader,
                clock=self.clock,
                door=self.door,
                most=self.settings.limits.batch_tasks,
                tasks=self.tasks,
            ),
            database=self.database,
            reader=self.reader,
            queues=self.queues,
            holds=self.holds,
            shared=self.shared,
            tasks=self.tasks,
            pools=PoolControls(
                kept=self.controls,
                queues=self.queues,
                annotations=self.annotations,
                changes=self.changes,
                health=self.health.pool,
            ),
            waiters=self.waiters,
            counts=self.counts,
            errors=self.errors,
            log_file=self.log_file,
            health=self.health,
            frames=self.frames,
            profiles=self.profiles,
            advisor=self.advisor,
            placements=self.placements,
            sizes=Sizes(
                reader=self.reader,
                clock=self.clock,
                profiles=self.profiles,
                settings=self.settings.pools,
                queues=self.queues,
            ),
            experiments=self.experiments,
        )


async def _counts(reader: Reader, clock: Clock) -> Counts:
    """Begin to count where the store's counters stand."""
    minute = clock.now() // MINUTE
    kept = await reader.run(queries.counts)
    ended = await reader.run(queries.activity, minute - WINDOW_SECONDS // 60)
    now = clock.monotonic()
    counts = Counts(clock)
    counts.load(
        ((count.pool, count.state, count.n) for count in kept),
        ((now - 60 * (minute - entry.minute), entry.state, entry.n) for entry in ended),
    )
    return counts
