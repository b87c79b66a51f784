"""An attempt while a worker has it, and what its reports become: a start, log lines, an end."""

from typing import Final

import msgspec
from msgspec import Struct

from app.domain.clock import Clock
from app.domain.states import State
from app.domain.tasks import End, LogEntry, QueuedTask, Start
from pooldeck.crew import Running, Worker
from pooldeck.outcome import Error, ErrorKind, Outcome
from pooldeck.protocol import LogLine

_LOST: Final = frozenset({ErrorKind.BYSTANDER, ErrorKind.INTERRUPTED})
_to_json = msgspec.json.Encoder().encode


class Attempt(Struct):
    """A task in a worker's hands. `started_at` is in microseconds since the epoch."""

    task: QueuedTask
    number: int
    started_at: int | None = None
    log_lines: int = 0

    def begin(self, running: Running, clock: Clock) -> None:
        """Note its start, if the worker reported one."""
        if running.started_at is not None:
            since = clock.monotonic() - running.started_at
            self.started_at = clock.now() - int(since * 1e6)

    @property
    def _queued_seconds(self) -> float | None:
        if self.started_at is None:
            return None
        return max(0.0, (self.started_at - self.task.ready_at) / 1e6)

    def start(self, worker: Worker, running: Running) -> Start:
        """Return its start as a record."""
        return Start(
            seq=self.task.seq,
            attempt=self.number,
            started_at=self.started_at or 0,
            queued_seconds=self._queued_seconds or 0.0,
            worker=worker.id,
            pid=worker.pid,
            thread=running.thread,
        )

    def entries(self, lines: list[LogLine]) -> list[LogEntry]:
        """Return log lines as records, numbered within the attempt."""
        first = self.log_lines + 1
        self.log_lines += len(lines)
        return [
            LogEntry(
                seq=self.task.seq,
                attempt=self.number,
                n=n,
                at=int(line.at * 1e6),
                level=line.level,
                source=line.source,
                message=line.message,
            )
            for n, line in enumerate(lines, first)
        ]

    def end(
        self, worker: Worker, running: Running, outcome: Outcome, run: float, finished_at: int
    ) -> End:
        """Return how it ended as a record.

        Args:
            worker: Where it ran.
            running: The call as its pool saw it.
            outcome: What the worker reported, or what its pool made of the worker's death.
            run: Seconds that it ran.
            finished_at: Microseconds since the epoch.
        """
        error, measurement = outcome.error, outcome.measurement
        return End(
            seq=self.task.seq,
            attempt=self.number,
            state=_final_state(error),
            finished_at=finished_at,
            started_at=self.started_at,
            queued_seconds=self._queued_seconds,
            run_seconds=run if self.started_at else None,
            cpu_seconds=measurement.cpu if measurement else None,
            worker=worker.id,
            pid=worker.pid,
            thread=running.thread,
            error_kind=error.kind.value if error else None,
            result=outcome.result.decode() if outcome.result is not None else None,
            error=_to_json(error).decode() if error else None,
            measurement=_to_json(measurement).decode() if measurement else None,
        )


def _final_state(error: Error | None) -> State:
    if error is None:
        return State.SUCCEEDED
    return State.LOST if error.kind in _LOST else State.FAILED
