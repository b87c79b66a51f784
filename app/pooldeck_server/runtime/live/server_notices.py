"""What needs attention beside the pools: the store, the log file, errors, misplaced functions."""

from collections.abc import Callable
from dataclasses import dataclass

from pooldeck_server.domain.alerts.outbox import OutboxState
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.notices import Notice
from pooldeck_server.runtime.live import notices
from pooldeck_server.runtime.live.misplaced import MisplacedFunctions
from pooldeck_server.runtime.recording.backups import Backups
from pooldeck_server.runtime.recording.log_file import LogFile
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.retention.retention import Retention
from pooldeck_server.runtime.retention.storage import Storage
from pooldeck_server.runtime.tasks.errors import Errors
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.restored import Restored
from pooldeck_server.runtime.tasks.server_drain import ServerDrain
from pooldeck_server.store.standing import Standing


@dataclass(kw_only=True, eq=False)
class ServerNotices:
    """The notices of the server as a whole."""

    clock: Clock
    standing: Standing
    drain: ServerDrain
    recorder: Recorder
    log_file: LogFile | None
    errors: Errors
    functions: Functions
    misplaced: MisplacedFunctions
    restored: Restored
    backups: Backups | None
    retention: Retention
    storage: Storage
    is_open: bool  # whoever reaches the server is let in
    outbox: Callable[[], OutboxState]

    def all(self) -> tuple[Notice, ...]:
        recorder, log_file = self.recorder, self.log_file
        displacement = self.standing.displacement
        return (
            *notices.of_drain(None if self.drain.is_closing() else self.drain.progress()),
            *notices.of_access(is_open=self.is_open),
            *notices.of_store(displacement, recorder.trouble, recorder.lag.seconds()),
            *notices.of_copies(self._restored(), self.backups.trouble if self.backups else None),
            *notices.of_retention(
                is_asked=self.retention.waits_for_a_word,
                leap=self.retention.vouched.leap,
                free_bytes=self.storage.disk_free_bytes if self.storage.is_low else None,
            ),
            *notices.of_outbox(self.outbox(), self.clock.now()),
            *notices.of_log_file(log_file.trouble if log_file else None),
            *notices.of_errors(self.errors.returned(), self.clock.now()),
            *notices.of_modules(self.functions.failures.values()),
            *notices.of_placements(self.functions.catalogue.functions()),
            *self.misplaced.notices(),
        )

    def _restored(self) -> tuple[int, str] | None:
        restored = self.restored
        return (restored.waiting, restored.made_at) if restored.waits_for_a_word else None
