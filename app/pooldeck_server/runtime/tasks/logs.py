"""What tasks and workers say: it goes to the store, and to the log file if there is one."""

from collections.abc import Sequence
from dataclasses import dataclass

from pooldeck.protocol import LogLine
from pooldeck_server.domain.clock import Clock, seconds, span
from pooldeck_server.domain.tasks.kept_lines import LogBounds
from pooldeck_server.domain.tasks.log import WorkerEntry
from pooldeck_server.runtime.recording.log_file import LogFile
from pooldeck_server.runtime.recording.log_format import Origin
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.attempt_log import AttemptLog
from pooldeck_server.runtime.tasks.attempts import RunningAttempt


@dataclass(kw_only=True, eq=False)
class Logs:
    """Takes the lines of all pools. The log file gets each once: when it is finished."""

    bounds: LogBounds
    recorder: Recorder
    clock: Clock
    file: LogFile | None

    def add(self, pool: str, attempt: RunningAttempt, lines: Sequence[LogLine]) -> None:
        """Take lines of an attempt, which may replace unfinished ones that came before."""
        if attempt.log is None:
            attempt.log = AttemptLog(attempt.task.seq, attempt.number, self.bounds)
        news = attempt.log.take(lines)
        self.recorder.record_log(news.entries, news.cuts)
        if self.file is not None:
            self.file.add_lines(attempt.origin(pool), news.finished)

    def note(self, pool: str, attempt: RunningAttempt, words: str) -> None:
        """Add a line of the server's own to the log of an attempt."""
        self.add(pool, attempt, [LogLine(seconds(self.clock.now()), "WARNING", "pooldeck", words)])

    def end(self, pool: str, attempt: RunningAttempt) -> None:
        """Let the log file have what an attempt that has ended leaves unfinished."""
        if self.file is not None and attempt.log is not None and attempt.log.open:
            self.file.add_lines(attempt.origin(pool), [*attempt.log.open.values()])

    def add_of_worker(self, pool: str, worker: str, lines: Sequence[LogLine]) -> None:
        """Take lines of a worker's own log."""
        self.recorder.record_worker_log([_entry(worker, line) for line in lines])
        if self.file is not None:
            finished = [line for line in lines if not line.is_open]
            self.file.add_lines(Origin(pool, worker), finished)


def _entry(worker: str, line: LogLine) -> WorkerEntry:
    return WorkerEntry(
        worker=worker,
        n=line.n,
        at=span(line.at),
        level=line.level,
        source=line.source,
        message=line.message,
        is_open=line.is_open,
    )
