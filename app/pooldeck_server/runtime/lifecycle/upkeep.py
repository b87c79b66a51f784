"""Puts together what keeps the store in order: retention, room, backups, the log of actions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pooldeck_server.domain.clock import Clock
from pooldeck_server.runtime.access.action_log import ActionLog
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.lifecycle.loading import Kept
from pooldeck_server.runtime.recording.backups import Backups
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.vouched_clock import VouchedClock
from pooldeck_server.runtime.retention.deleting import Deleting
from pooldeck_server.runtime.retention.retention import Retention
from pooldeck_server.runtime.retention.storage import Storage
from pooldeck_server.settings import Settings
from pooldeck_server.store import queries
from pooldeck_server.store.database import Database, Reader


@dataclass(frozen=True, kw_only=True, eq=False)
class Upkeep:
    """The parts; none of them is started yet."""

    deleting: Deleting
    retention: Retention
    storage: Storage
    actions: ActionLog
    backups: Backups | None

    @property
    def parts(self) -> Sequence[BackgroundPart]:
        """Those that work in the background, in the order in which they start."""
        backups = () if self.backups is None else (self.backups,)
        return (*backups, self.actions, self.storage, self.retention)


async def make_upkeep(
    *,
    settings: Settings,
    kept: Kept,
    database: Database,
    recorder: Recorder,
    reader: Reader,
    clock: Clock,
    vouched: VouchedClock,
    changes: LiveChanges,
    is_ending: Callable[[], bool],
) -> Upkeep:
    deleting = Deleting(recorder=recorder, counts=kept.counts, changes=changes, is_ending=is_ending)
    return Upkeep(
        deleting=deleting,
        retention=Retention(
            settings=settings.retention,
            kept=await reader.run(queries.kept_rules),
            recorder=recorder,
            reader=reader,
            clock=clock,
            vouched=vouched,
            changes=changes,
            is_held=lambda: kept.restored.waits_for_a_word,
            deleting=deleting,
        ),
        storage=Storage(
            folder=database.path.parent,
            low_disk_bytes=settings.retention.low_disk_bytes,
            recorder=recorder,
            reader=reader,
            clock=clock,
            counts=kept.counts,
            changes=changes,
        ),
        actions=ActionLog(
            recorder=recorder,
            clock=clock,
            vouched=vouched,
            keep_days=settings.actions.keep_days,
            most=settings.actions.most,
        ),
        backups=_backups(settings, kept, clock),
    )


def _backups(settings: Settings, kept: Kept, clock: Clock) -> Backups | None:
    if settings.backup is None:
        return None
    return Backups(
        settings=settings.backup,
        database=settings.database,
        identity=kept.restored.identity.id,
        clock=clock,
    )
