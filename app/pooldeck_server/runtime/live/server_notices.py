"""What needs attention beside the pools: the store, the log file, errors, misplaced functions."""

from dataclasses import dataclass

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.notices import Notice
from pooldeck_server.runtime.live import notices
from pooldeck_server.runtime.live.misplaced import MisplacedFunctions
from pooldeck_server.runtime.recording.log_file import LogFile
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.errors import Errors
from pooldeck_server.store.standing import Standing


@dataclass(kw_only=True, eq=False)
class ServerNotices:
    """The notices of the server as a whole."""

    clock: Clock
    standing: Standing
    recorder: Recorder
    log_file: LogFile | None
    errors: Errors
    misplaced: MisplacedFunctions

    def all(self) -> tuple[Notice, ...]:
        recorder, log_file = self.recorder, self.log_file
        displacement = self.standing.displacement
        return (
            *notices.of_store(displacement, recorder.trouble, recorder.lag.seconds()),
            *notices.of_log_file(log_file.trouble if log_file else None),
            *notices.of_errors(self.errors.returned(), self.clock.now()),
            *self.misplaced.notices(),
        )
