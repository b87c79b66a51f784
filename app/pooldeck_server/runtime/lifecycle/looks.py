"""Puts together what shows the server as it is: health, advice, notices, frames for pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pooldeck_server.domain.clock import Clock
from pooldeck_server.runtime.advice.advisor import Advisor
from pooldeck_server.runtime.alerts.outbox_watch import OutboxWatch
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.lifecycle.loading import Kept
from pooldeck_server.runtime.lifecycle.upkeep import Upkeep
from pooldeck_server.runtime.live.frames import Frames
from pooldeck_server.runtime.live.health import Health
from pooldeck_server.runtime.live.hosts import HostNews
from pooldeck_server.runtime.live.misplaced import MisplacedFunctions
from pooldeck_server.runtime.live.notices import of_frame
from pooldeck_server.runtime.live.oldest import OldestWaits
from pooldeck_server.runtime.live.outdated import OutdatedCode
from pooldeck_server.runtime.live.sampler import Sampler
from pooldeck_server.runtime.live.seen_notices import SeenNotices
from pooldeck_server.runtime.live.server_notices import ServerNotices
from pooldeck_server.runtime.recording.log_file import LogFile
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.server_drain import ServerDrain
from pooldeck_server.settings import Settings
from pooldeck_server.store.database import Database, Reader


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """The parts; none of them is started yet."""

    outdated: OutdatedCode
    oldest: OldestWaits
    health: Health
    advisor: Advisor
    outbox: OutboxWatch
    notices: ServerNotices
    seen_notices: SeenNotices
    frames: Frames


def make_looks(
    *,
    settings: Settings,
    clock: Clock,
    changes: LiveChanges,
    queues: Mapping[str, Dispatcher],
    sampler: Sampler,
    kept: Kept,
    upkeep: Upkeep,
    database: Database,
    reader: Reader,
    recorder: Recorder,
    drain: ServerDrain,
    log_file: LogFile | None,
    host_news: Callable[[str], HostNews],
) -> Looks:
    """Make them; `queues` is filled later, and `host_news` is asked later."""
    outdated = OutdatedCode(functions=kept.functions, changes=changes)
    oldest = OldestWaits(
        queues=queues, reader=reader, clock=clock, counts=kept.counts, changes=changes
    )
    health = Health(
        queues=queues,
        clock=clock,
        sampler=sampler,
        durations=kept.durations,
        counts=kept.counts,
        incidents=kept.incidents,
        holds=kept.holds,
        functions=kept.functions,
        recent=kept.recent,
        controls=kept.controls,
        outdated=outdated,
        oldest=oldest,
        host_news=host_news,
    )
    advisor = Advisor(
        profiles=kept.profiles,
        functions=kept.functions,
        queues=queues,
        hosted={name for name, pool in settings.pools.items() if pool.hosts},
    )
    outbox = OutboxWatch(recorder=recorder, reader=reader, changes=changes)
    notices = ServerNotices(
        clock=clock,
        standing=database.standing,
        drain=drain,
        recorder=recorder,
        log_file=log_file,
        errors=kept.errors,
        functions=kept.functions,
        restored=kept.restored,
        backups=upkeep.backups,
        retention=upkeep.retention,
        storage=upkeep.storage,
        outbox=lambda: outbox.state,
        misplaced=MisplacedFunctions(clock=clock, advised=advisor.undecided),
        is_open=settings.admission == "open",
    )
    frames = Frames(
        clock=clock,
        changes=changes,
        counts=kept.counts,
        pools=health.all,
        notices=notices.all,
        incidents=kept.incidents.lately,
        streams=settings.limits.streams,
    )
    return Looks(
        outdated=outdated,
        oldest=oldest,
        health=health,
        advisor=advisor,
        outbox=outbox,
        notices=notices,
        seen_notices=SeenNotices(
            recorder=recorder,
            clock=clock,
            changes=changes,
            present=lambda: of_frame(frames.latest(), kept.holds.all()),
            kept=kept.seen_notices,
        ),
        frames=frames,
    )
