"""Puts the server together: starts its parts in order, and stops them in reverse.

The order is the way of a task, backwards: whatever takes must be there before whatever gives.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pooldeck.client.places import LocalServer
from pooldeck.pools.boxes import Boxes
from pooldeck.pools.launcher import SubprocessLauncher
from pooldeck_server.domain.access import OWNER
from pooldeck_server.domain.clock import Clock, SystemClock
from pooldeck_server.domain.errors import PooldeckError, StartupError
from pooldeck_server.domain.pools.controls import ServerRun
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.access.for_tasks import told_to_tasks
from pooldeck_server.runtime.access.login_links import LoginLinks
from pooldeck_server.runtime.access.logins import open_logins
from pooldeck_server.runtime.access.own_files import OwnFiles
from pooldeck_server.runtime.access.socket import TokenSocket
from pooldeck_server.runtime.advice.memory import Memories
from pooldeck_server.runtime.advice.placement import Placements
from pooldeck_server.runtime.advice.sizes import Sizes
from pooldeck_server.runtime.advice.trials import Trials
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.experiments.experiments import Experiments
from pooldeck_server.runtime.experiments.pools import TemporaryPools
from pooldeck_server.runtime.hosts.hosted_pools import HostedPools
from pooldeck_server.runtime.lifecycle.boxes import BoxesLeft, begin_boxes, boxes_left
from pooldeck_server.runtime.lifecycle.draining import pools_running
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.lifecycle.feeding import make_feeding
from pooldeck_server.runtime.lifecycle.loading import load
from pooldeck_server.runtime.lifecycle.looks import make_looks
from pooldeck_server.runtime.lifecycle.orphans import Orphans
from pooldeck_server.runtime.lifecycle.pools import PoolMaker
from pooldeck_server.runtime.lifecycle.recovery import recover, report
from pooldeck_server.runtime.lifecycle.runs import lifetime
from pooldeck_server.runtime.lifecycle.telling import make_alerts, make_callbacks
from pooldeck_server.runtime.lifecycle.upkeep import make_upkeep
from pooldeck_server.runtime.live.figures import Figures
from pooldeck_server.runtime.live.history import PoolHistory
from pooldeck_server.runtime.live.loop_lag import LoopLag
from pooldeck_server.runtime.live.readiness import ReadinessProbe
from pooldeck_server.runtime.live.sampler import Sampler, WorkerSampling
from pooldeck_server.runtime.live.waiting import WaitingReasons
from pooldeck_server.runtime.pipelines.pipelines import Pipelines
from pooldeck_server.runtime.pipelines.waits import Waits
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.indexer import Indexer
from pooldeck_server.runtime.recording.lag import LagWatch
from pooldeck_server.runtime.recording.log_file import open_log_file
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.spans import open_spans
from pooldeck_server.runtime.recording.vouched_clock import VouchedClock
from pooldeck_server.runtime.recording.watches import Watches
from pooldeck_server.runtime.retention.by_hand import DeletionByHand
from pooldeck_server.runtime.retention.deletions import Deletions
from pooldeck_server.runtime.server import Server
from pooldeck_server.runtime.tasks.deployed_code import DeployedCode
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.editing import TaskEditing
from pooldeck_server.runtime.tasks.logs import Logs
from pooldeck_server.runtime.tasks.pool_controls import PoolControls
from pooldeck_server.runtime.tasks.pool_spec import (
    clear_worker_files,
    worker_folder,
)
from pooldeck_server.runtime.tasks.requeue import Requeue
from pooldeck_server.runtime.tasks.scheduler import Scheduler
from pooldeck_server.runtime.tasks.server_drain import ServerDrain
from pooldeck_server.runtime.tasks.shared_state import Shared
from pooldeck_server.runtime.tasks.totals import Totals
from pooldeck_server.settings import Settings
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Database, Reader

_log = logging.getLogger(__name__)


@asynccontextmanager
async def running(
    settings: Settings,
    clock: Clock | None = None,
    ending: Ending | None = None,
    address: str | None = None,
) -> AsyncIterator[Server]:
    """Start a server, give it to the body, stop it at the end.

    `ending` lets it drain and end its pools while the body still runs. `address` is where it is
    reached from this machine, if it is.

    Raises:
        StartupError: If it cannot start; what was opened is closed again.
    """
    ending = ending or Ending(settings.grace_seconds)
    async with AsyncExitStack() as stack:
        try:
            clock = clock or SystemClock()
            server = await _Startup(settings, clock, ending, stack, address).run()
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
    address: str | None

    def __post_init__(self) -> None:
        self.changes = LiveChanges()
        self.waits = Waits()
        self.sampler = Sampler()
        self.code = DeployedCode(self.settings)
        self.totals = Totals(self.settings.metrics.functions)
        self.loop_lag = LoopLag()
        self.queues: dict[str, Dispatcher] = {}
        self.has_workers = False  # or may have

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
        await self.open_socket()
        await self.start_alerts()
        await self.open_logins()
        return self.server(run)

    def _start(self, part: BackgroundPart) -> None:
        part.start()
        self.stack.push_async_callback(part.stop)

    async def open_store(self) -> None:
        """Open the store and what writes to it; nothing is written yet."""
        settings = self.settings
        self.database = await asyncio.to_thread(
            Database.open, settings.database, settings.durability
        )
        self.stack.callback(self.database.close)
        self.reader = Reader(self.database)
        self.stack.callback(self.reader.close)
        self.recorder = Recorder(self.database, settings.limits.pending_writes)
        self.stack.callback(self._clear_workers)  # last of all, when the recorder has ended
        self.watches = Watches(
            recorder=self.recorder,
            reader=self.reader,
            most=settings.limits.watches,
            most_tasks=settings.limits.watched_tasks,
        )
        self.annotations = Annotations(recorder=self.recorder, clock=self.clock)
        self.drain = ServerDrain(
            clock=self.clock,
            recorder=self.recorder,
            annotations=self.annotations,
            changes=self.changes,
            queues=self.queues,
            usual=self._usual,
            queued=lambda pool: self.kept.counts.number(pool, State.QUEUED),
            is_closing=self.ending.begun.is_set,
            end=self.ending.begin,
        )
        self.door = Door(
            is_closing=self.ending.begun.is_set,
            drain=self.drain,
            standing=self.database.standing,
        )
        self.log_file = await self.stack.enter_async_context(open_log_file(settings.log))
        self.spans = await self.stack.enter_async_context(open_spans(settings))

    def _clear_workers(self) -> None:
        """Let nothing of the workers' files be left, if all that they know is on record.

        A start that fails leaves those of the run before as they are: they may not have been read.
        """
        is_on_record = self.recorder.ends_done == self.recorder.ends_given
        if self.has_workers and is_on_record:
            clear_worker_files(self.settings)

    def _usual(self, function: str) -> float | None:
        spread = self.kept.durations.spread(function)
        return spread.p95 if spread else None

    async def load(self) -> None:
        """Load what outlives a run."""
        settings = self.settings
        self.kept = await load(
            settings=settings,
            clock=self.clock,
            recorder=self.recorder,
            reader=self.reader,
            annotations=self.annotations,
            changes=self.changes,
            queues=self.queues,
        )
        self.stack.push_async_callback(self.kept.durations.stop)
        self.vouched = VouchedClock(
            clock=self.clock,
            changes=self.changes,
            memory=await self.reader.run(queries.clock_memory),
        )
        self.upkeep = await make_upkeep(
            settings=settings,
            kept=self.kept,
            database=self.database,
            recorder=self.recorder,
            reader=self.reader,
            clock=self.clock,
            vouched=self.vouched,
            changes=self.changes,
            is_ending=self.door.is_closing,
        )

    def prepare_looks(self) -> None:
        """Make what shows the server as it is."""
        self.looks = make_looks(
            settings=self.settings,
            clock=self.clock,
            changes=self.changes,
            queues=self.queues,
            sampler=self.sampler,
            kept=self.kept,
            upkeep=self.upkeep,
            database=self.database,
            reader=self.reader,
            recorder=self.recorder,
            drain=self.drain,
            log_file=self.log_file,
            host_news=lambda pool: self.hosting.seen(pool),  # noqa: PLW0108 - it comes later
        )

    def start_recording(self) -> None:
        """Start the writer, with all who are told of what it has committed."""
        self.placements = Placements(
            functions=self.kept.functions,
            pools=self.settings.pool_kinds,
            recorder=self.recorder,
            annotations=self.annotations,
            clock=self.clock,
            changes=self.changes,
        )
        self.trials = Trials(
            functions=self.kept.functions,
            kinds=self.settings.pool_kinds,
            placements=self.placements,
            profiles=self.kept.profiles,
            reader=self.reader,
            clock=self.clock,
            is_ending=self.door.is_closing,
        )
        history = PoolHistory(
            recorder=self.recorder,
            annotations=self.annotations,
            clock=self.clock,
            vouched=self.vouched,
            recent=self.kept.recent,
            pools=self.looks.health.all,
        )
        self.scheduler = Scheduler(recorder=self.recorder, reader=self.reader, clock=self.clock)
        self.requeue = Requeue(reader=self.reader, queues=self.queues, scheduler=self.scheduler)
        self._start(self.looks.frames)
        self.stack.push_async_callback(self.recorder.waiters.release_all, 0)
        self.stack.push_async_callback(self.kept.errors.stop)
        self.stack.push_async_callback(self.trials.stop)
        self.recorder.start(
            (
                *(
                    history,
                    self.kept.errors,
                    self.waits,
                    self.kept.counts,
                    self.totals,
                    self.recorder.waiters,
                    self.watches,
                    self.looks.frames,
                ),
                *(self.requeue, self.trials),
            ),
            self.watches.wait_for_few,
        )
        self.stack.push_async_callback(self.recorder.stop)
        self._start(LagWatch(self.recorder.lag.seconds))
        self._start(self.loop_lag)
        self._start(self.kept.tokens)
        self._start(history)
        self._start(self.kept.profiles)

    async def begin_run(self) -> ServerRun:
        """Begin a run of the server, and sort out what the one before it left."""
        beginning = await self.stack.enter_async_context(
            lifetime(self.database, self.reader, self.recorder, self.clock, self.ending)
        )
        self._start(Orphans())
        boxes = BoxesLeft()
        if not beginning.is_beside:
            folder, database = worker_folder(self.settings), self.kept.restored.identity.id
            boxes = await asyncio.to_thread(boxes_left, folder, database, beginning.earlier)
        is_copy = self.kept.restored.waits_for_a_word
        self.hosting = await HostedPools.after(
            settings=self.settings,
            database=self.kept.restored.identity.id,
            boot=beginning.run.boot,
            is_copy=is_copy,
            clock=self.clock,
            recorder=self.recorder,
            reader=self.reader,
            tokens=self.kept.tokens,
            controls=self.kept.controls,
            queues=self.queues,
            changes=self.changes,
        )
        recovered = await recover(
            self.recorder,
            self.clock,
            boxes,
            is_copy=is_copy,
            left_on_hosts=self.hosting.earlier.left,
        )
        await self.kept.restored.settle_if_nothing_waits()
        self.annotations.annotate(
            "start", was_clean=beginning.was_clean, down_seconds=beginning.down_seconds
        )
        run = await report(
            beginning, recovered, self.kept.counts, len(self.kept.holds.all()), self.recorder
        )
        self.hosting.earlier.report = run.report
        return run

    async def make_pools(self, boot: str) -> None:
        """Make the pools, not started, in the sizes and states that were set by hand."""
        self.shared = Shared(
            settings=self.settings.shared, annotations=self.annotations, clock=self.clock, boot=boot
        )
        await self.shared.start()
        self.stack.push_async_callback(self.shared.stop)
        told = told_to_tasks(self.settings, self.address, self.kept.tokens, os.environ)
        self.launcher = self.shared.launcher(SubprocessLauncher(told))
        clear_worker_files(self.settings)
        folder, database = worker_folder(self.settings), self.kept.restored.identity.id
        self.has_workers = True
        mark = begin_boxes(folder, database, boot)
        logs = Logs(
            bounds=self.settings.limits.log_bounds,
            recorder=self.recorder,
            clock=self.clock,
            file=self.log_file,
        )
        maker = PoolMaker(
            settings=self.settings,
            clock=self.clock,
            recorder=self.recorder,
            reader=self.reader,
            kept=self.kept,
            code=self.code,
            shared=self.shared,
            hosting=self.hosting,
            launcher=self.launcher,
            boot=boot,
            boxes=Boxes(folder, mark),
            logs=logs,
            spans=self.spans,
            door=self.door,
            drain=self.drain,
            on_change=self._pool_changed,
        )
        for name in self.settings.pools:
            queue = self.queues[name] = maker.queue(name)
            self.kept.controls.apply(queue.pool, is_held=self.kept.restored.waits_for_a_word)
        self.kept.restored.apply = self._let_go
        self._start(self.hosting.earlier)

    def _let_go(self) -> None:
        """Let the pools hand out, or not, as they were set by hand before."""
        for queue in self.queues.values():
            self.kept.controls.let_go(queue.pool)

    def _pool_changed(self, name: str) -> None:
        self.looks.health.refresh(name)
        self.changes.mark_dirty()

    async def open_intake(self) -> None:
        """Start what brings tasks to the queues."""
        await self.placements.give_back_unvouched()  # before anything is submitted
        await self.trials.look_back()
        self.callbacks = await make_callbacks(
            self.settings.alerts, self.recorder, self.reader, self.clock
        )
        feeding = make_feeding(
            settings=self.settings,
            clock=self.clock,
            recorder=self.recorder,
            reader=self.reader,
            kept=self.kept,
            queues=self.queues,
            hosting=self.hosting,
            door=self.door,
            annotations=self.annotations,
            scheduler=self.scheduler,
            requeue=self.requeue,
            waits=self.waits,
            placements=self.placements,
            advisor=self.looks.advisor,
            spans=self.spans,
            admit=self.callbacks.admit,
        )
        self.intake, self.tasks = feeding.intake, feeding.tasks
        self._start(feeding.mover)
        self.stack.push_async_callback(self.requeue.stop)
        self._start(feeding.releases)
        self._start(self.scheduler)
        self._start(self.drain)

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
                settings=self.settings,
                code=self.code,
                recorder=self.recorder,
                launcher=self.launcher,
                shared=self.shared,
                boot=boot,
                is_ending=self.door.is_closing,
            ),
            functions=self.kept.functions,
            holds=self.kept.holds,
            queues=self.queues,
            door=self.door,
            restored=self.kept.restored,
            changes=self.changes,
        )
        self.stack.push_async_callback(self.experiments.close)
        self._start(Indexer(recorder=self.recorder, reader=self.reader, clock=self.clock))
        for part in self.upkeep.parts:
            self._start(part)
        self.deletions = self._make_deletions()
        self.stack.push_async_callback(self.deletions.stop)
        self._start(self.looks.outdated)
        self._start(self.looks.oldest)
        self._start(
            WorkerSampling(
                sampler=self.sampler,
                vitals=self.kept.incidents.vitals,
                queues=self.queues,
                changes=self.changes,
            )
        )

    def _make_deletions(self) -> Deletions:
        by_hand = DeletionByHand(
            recorder=self.recorder,
            reader=self.reader,
            clock=self.clock,
            tasks=self.tasks,
            deleting=self.upkeep.deleting,
        )
        return Deletions(by_hand=by_hand, clock=self.clock, changes=self.changes)

    async def open_socket(self) -> None:
        """Let in this server's own user and hosts; listen to `pooldeck token` and `link`."""
        tokens, is_local = self.kept.tokens, self.settings.admission == "local"
        self.links = None
        if is_local and self.address is not None:
            self.links = LoginLinks(self.address, self.clock)
            files = OwnFiles(self._local(self.address))
            files.write()
            self.stack.callback(files.remove)
        if tokens.is_asked_for and not is_local and tokens.owner is None and not tokens.all():
            _log.warning(
                "nobody can come in yet: make the first token by `pooldeck token create --role "
                "admin NAME`"
            )
        listening = TokenSocket(self.settings.socket, tokens, self.links)
        await listening.start()
        self.stack.push_async_callback(listening.stop)
        self.stack.push_async_callback(self.hosting.stop)
        await self.hosting.start()

    def _local(self, address: str) -> LocalServer:
        """Return what programs of this server's own user may know."""
        token = self.kept.tokens.make_for_run(OWNER)
        return LocalServer(address, token, os.getpid(), str(self.settings.data.resolve()))

    async def start_alerts(self) -> None:
        """Start what tells people who do not look at the pages."""
        self.alerts, watch = await make_alerts(
            settings=self.settings,
            recorder=self.recorder,
            reader=self.reader,
            clock=self.clock,
            pools=self.looks.health.all,
            notices=self.looks.notices.all,
        )
        self._start(self.alerts.sender)
        self._start(self.callbacks.sender)
        self._start(self.looks.outbox)
        self._start(self.looks.seen_notices)
        self._start(watch)

    async def open_logins(self) -> None:
        """Let in who logs in by another's word, if that is set."""
        self.logins = await open_logins(self.settings.oidc, self.kept.sessions, self.clock)
        if self.logins is not None:
            self.stack.push_async_callback(self.logins.close)

    def server(self, run: ServerRun) -> Server:
        """Return the parts that answer the web."""
        return Server(
            settings=self.settings,
            clock=self.clock,
            begun=run,
            hosting=self.hosting,
            sessions=self.kept.sessions,
            tokens=self.kept.tokens,
            links=self.links,
            actions=self.upkeep.actions,
            logins=self.logins,
            door=self.door,
            drain=self.drain,
            functions=self.kept.functions,
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
            holds=self.kept.holds,
            shared=self.shared,
            tasks=self.tasks,
            edits=TaskEditing(self.tasks, self.settings.limits.arguments_bytes),
            pools=PoolControls(
                kept=self.kept.controls,
                restored=self.kept.restored,
                queues=self.queues,
                recorder=self.recorder,
                clock=self.clock,
                annotations=self.annotations,
                changes=self.changes,
                code=self.code,
                places=self.hosting,
                health=self.looks.health.pool,
            ),
            waiters=self.recorder.waiters,
            watches=self.watches,
            counts=self.kept.counts,
            figures=Figures(
                tasks=self.totals,
                deaths=self.kept.incidents.deaths,
                commits=self.recorder.lag.took,
                loop_lag=self.loop_lag.seconds,
            ),
            spans=self.spans,
            errors=self.kept.errors,
            log_file=self.log_file,
            probe=ReadinessProbe(queues=self.queues, door=self.door, recorder=self.recorder),
            health=self.looks.health,
            waiting=WaitingReasons(
                clock=self.clock,
                queues=self.queues,
                holds=self.kept.holds,
                functions=self.kept.functions,
                durations=self.kept.durations,
                recent=self.kept.recent,
                drain=self.drain,
                restored=self.kept.restored,
            ),
            frames=self.looks.frames,
            seen_notices=self.looks.seen_notices,
            profiles=self.kept.profiles,
            advisor=self.looks.advisor,
            placements=self.placements,
            restored=self.kept.restored,
            backups=self.upkeep.backups,
            retention=self.upkeep.retention,
            storage=self.upkeep.storage,
            deletion=self.deletions.by_hand,
            deletions=self.deletions,
            sizes=Sizes(
                reader=self.reader,
                clock=self.clock,
                profiles=self.kept.profiles,
                settings=self.settings.pools,
                queues=self.queues,
            ),
            memories=Memories(
                pools=self.looks.health.all,
                settings=self.settings.pools,
                profiles=self.kept.profiles,
            ),
            experiments=self.experiments,
            alerts=self.alerts,
            callbacks=self.callbacks,
        )
