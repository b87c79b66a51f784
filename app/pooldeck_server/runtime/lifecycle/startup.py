"""Puts the server together: starts its parts in order, and stops them in reverse.

The order is the way of a task, backwards: whatever takes must be there before whatever gives.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from pooldeck_server.domain.clock import Clock, SystemClock
from pooldeck_server.domain.pools.controls import ServerRun
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.runtime.advice.advisor import Advisor
from pooldeck_server.runtime.advice.opening import make_sizes, open_placements
from pooldeck_server.runtime.experiments.opening import open_experiments
from pooldeck_server.runtime.lifecycle.draining import pools_running
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.lifecycle.ground import Ground, open_ground
from pooldeck_server.runtime.lifecycle.pool_making import clear_worker_files, make_pool, worker_pids
from pooldeck_server.runtime.lifecycle.recovery import recover, report
from pooldeck_server.runtime.lifecycle.run import lifetime
from pooldeck_server.runtime.live.frames import Feed
from pooldeck_server.runtime.live.health import Health
from pooldeck_server.runtime.live.misplaced import MisplacedFunctions
from pooldeck_server.runtime.live.sampler import Sampler
from pooldeck_server.runtime.pipelines.opening import open_pipelines
from pooldeck_server.runtime.recording.indexer import Indexer
from pooldeck_server.runtime.server import Parts, Service
from pooldeck_server.runtime.tasks.control import TaskControl
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.intake import Intake
from pooldeck_server.runtime.tasks.requeue import Requeue
from pooldeck_server.runtime.tasks.scheduler import Scheduler
from pooldeck_server.settings.model import Settings
from pooldeck_server.store import queries


@asynccontextmanager
async def running(
    settings: Settings, clock: Clock | None = None, ending: Ending | None = None
) -> AsyncIterator[Service]:
    """Start a server, give its service to the body, stop it at the end.

    Args:
        settings: What to run.
        clock: Where it takes the time from; the system's by default.
        ending: Lets it drain and end its pools while the body still runs.

    Raises:
        StartupError: If it cannot start; what was opened is closed again.
    """
    ending = ending or Ending(settings.grace_seconds)
    queues: dict[str, Dispatcher] = {}
    sampler = Sampler(partial(worker_pids, queues))

    def announce(moves: Sequence[TaskChanged]) -> None:
        ground.history.on_commit(moves)
        ground.errors.on_commit(moves)
        ground.waits.on_commit(moves)
        feed.on_commit(moves)  # which is not there yet: it needs the deck, and that the record

    async with AsyncExitStack() as stack:
        ground = await open_ground(settings, clock or SystemClock(), announce, stack)
        deck = Health(queues, sampler, ground)
        advisor = Advisor(ground.profiles, lambda: ground.directory.catalogue, queues)
        misplaced = MisplacedFunctions(ground.clock, advisor.misplaced)
        feed = Feed(
            ground.clock,
            ground.tally,
            deck.health,
            lambda: (*deck.attention(), *misplaced.notices()),
            incidents=ground.incidents.lately,
            streams=settings.limits.streams,
        )
        feed.start()
        stack.push_async_callback(feed.stop)
        ground.errors.follow(feed.mark_dirty)
        stack.push_async_callback(ground.errors.stop)
        ground.recorder.start()
        stack.push_async_callback(ground.recorder.stop)
        ground.history.start(partial(_look, ground, deck))
        stack.push_async_callback(ground.history.stop)
        ground.profiles.start()
        stack.push_async_callback(ground.profiles.stop)

        run = await _begin(ground, stack)
        await ground.shared.start(run.boot)
        stack.push_async_callback(ground.shared.stop)
        clear_worker_files(settings)
        for name in settings.pools:
            queue = _queue(name, ground, deck, feed)
            make_pool(name, ground, run.boot, queue)
            queues[name] = queue
        service = await _service(ground, queues, deck, feed, advisor, run, stack)
        indexer = Indexer(ground.recorder, ground.reader, ground.clock)
        indexer.start()
        stack.push_async_callback(indexer.stop)
        sampler.start(partial(_sampled, queues, sampler, feed))
        stack.push_async_callback(sampler.stop)
        await stack.enter_async_context(pools_running(queues, service, ending))
        yield service


async def _begin(ground: Ground, stack: AsyncExitStack) -> ServerRun:
    """Begin a run of the server, and sort out what the one before it left."""
    beginning = await stack.enter_async_context(
        lifetime(ground.database, ground.reader, ground.recorder, ground.clock)
    )
    became = await recover(ground.recorder, ground.clock)
    held = len(ground.holds.all())
    ground.annotations.annotate(
        "start", was_clean=beginning.was_clean, down_seconds=beginning.down_seconds
    )
    return await report(beginning, became, ground.tally, held, ground.recorder)


def _look(ground: Ground, deck: Health) -> Sequence[PoolHealth]:
    pools = deck.health()
    ground.annotations.see(pools)
    return pools


def _queue(name: str, ground: Ground, deck: Health, feed: Feed) -> Dispatcher:
    def note_change() -> None:
        deck.refresh(name)
        feed.mark_dirty()

    return Dispatcher(
        name,
        ground.settings.pools[name].kind,
        recorder=ground.recorder,
        reader=ground.reader,
        clock=ground.clock,
        usual=ground.usual,
        profiles=ground.profiles,
        holds=ground.holds,
        incidents=ground.incidents,
        log_file=ground.log_file,
        memory=ground.settings.memory_queue,
        on_functions=ground.directory.report,
        on_change=note_change,
    )


async def _service(  # noqa: PLR0917 - it only passes on what `running` has made
    ground: Ground,
    queues: Mapping[str, Dispatcher],
    deck: Health,
    feed: Feed,
    advisor: Advisor,
    run: ServerRun,
    stack: AsyncExitStack,
) -> Service:
    """Start what brings tasks to the queues, and put a front before it all."""

    def follow(moves: Sequence[TaskChanged]) -> None:
        requeue.follow(moves)

    placements = await open_placements(ground, feed.invalidate)  # before anything is submitted
    scheduler = Scheduler(ground.recorder, ground.reader, ground.clock, follow)
    requeue = Requeue(ground.reader, queues, scheduler.look_again)
    ground.recorder.follow_reruns(follow)
    stack.push_async_callback(requeue.stop)
    intake = await _intake(ground, queues, scheduler)
    tasks = TaskControl(
        recorder=ground.recorder,
        reader=ground.reader,
        clock=ground.clock,
        queues=queues,
        intake=intake,
        requeue=requeue,
        feed=feed,
        annotations=ground.annotations,
    )
    pipelines = await open_pipelines(ground, intake, tasks, follow, stack)
    scheduler.start()
    stack.push_async_callback(scheduler.stop)
    experiments = await open_experiments(ground, queues, run.boot, feed.mark_dirty, stack)
    return Service(
        Parts(
            settings=ground.settings,
            clock=ground.clock,
            database=ground.database,
            reader=ground.reader,
            recorder=ground.recorder,
            directory=ground.directory,
            intake=intake,
            queues=queues,
            tasks=tasks,
            holds=ground.holds,
            errors=ground.errors,
            controls=ground.controls,
            deck=deck,
            feed=feed,
            tally=ground.tally,
            history=ground.history,
            profiles=ground.profiles,
            advisor=advisor,
            placements=placements,
            sizes=make_sizes(ground, queues),
            log_file=ground.log_file,
            experiments=experiments,
            pipelines=pipelines,
            shared=ground.shared,
            run=run,
        )
    )


async def _intake(ground: Ground, queues: Mapping[str, Dispatcher], scheduler: Scheduler) -> Intake:
    last = await ground.reader.run(queries.last_seq_and_id)
    return Intake(
        recorder=ground.recorder,
        reader=ground.reader,
        clock=ground.clock,
        ids=TaskIds(ground.clock, after=last.id if last else None),
        last_seq=last.seq if last else 0,
        catalogue=lambda: ground.directory.catalogue,
        queues=queues,
        pools=ground.settings.pools,
        tally=ground.tally,
        holds=ground.holds,
        on_scheduled=scheduler.look_again,
        on_tied=ground.waits.look_at,
    )


def _sampled(queues: Mapping[str, Dispatcher], sampler: Sampler, feed: Feed) -> None:
    """Let the pools look at how much memory their workers take, and browsers at all the rest."""
    for queue in queues.values():
        for worker in list(queue.pool.workers.values()):
            if (sample := sampler.sample(worker.pid)) is not None:
                queue.pool.note_memory(worker.id, sample.rss_bytes)
    feed.mark_dirty()
