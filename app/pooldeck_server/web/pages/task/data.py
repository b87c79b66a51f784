"""The data of a task's page, read in one transaction."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.measurements.figures import Durations
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.tasks.attempt import LatestRun, StoredAttempt
from pooldeck_server.domain.tasks.dependencies import RelatedTasks
from pooldeck_server.domain.tasks.log import LogEntry, LogWindow
from pooldeck_server.domain.tasks.pipelines import StoredPipeline
from pooldeck_server.domain.tasks.states import LIVE, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.store import queries


class LogData(Struct, frozen=True):
    """A task with lines of its log: those in `window`."""

    task: StoredTask
    window: LogWindow
    log: Sequence[LogEntry]


class TaskData(LogData, frozen=True):
    """A task with what belongs to it; `are_erased`: its sensitive arguments are gone."""

    attempts: Sequence[StoredAttempt]  # none where the task itself says all of them
    runs: Sequence[LatestRun]
    durations: Durations
    kill: StoredAnnotation | None
    are_erased: bool
    around: RelatedTasks = RelatedTasks()
    pipeline: StoredPipeline | None = None


def read(connection: Connection, task_id: str, window: LogWindow) -> TaskData:
    """Read a task with what belongs to it.

    Raises:
        NotFound: If there is no such task.
    """
    task = _task(connection, task_id)
    return TaskData(
        task=task,
        window=window,
        log=queries.log_window(connection, task_id, window),
        attempts=_attempts(connection, task),
        runs=queries.latest_runs(connection, task.function, task.seq),
        durations=queries.durations(connection, task.function),
        kill=_kill(connection, task),
        are_erased=queries.are_arguments_erased(connection, task_id),
        around=queries.related_tasks(connection, task.seq),
        pipeline=_pipeline(connection, task),
    )


def read_log(connection: Connection, task_id: str, window: LogWindow) -> LogData:
    """Read a task with lines of its log.

    Raises:
        NotFound: If there is no such task.
    """
    task = _task(connection, task_id)
    return LogData(task, window, queries.log_window(connection, task_id, window))


def _task(connection: Connection, task_id: str) -> StoredTask:
    task = queries.task(connection, task_id)
    if task is None:
        raise NotFound(f"there is no task {task_id}")
    return task


def _attempts(connection: Connection, task: StoredTask) -> list[StoredAttempt]:
    waits_again = task.attempt == 1 and task.state in LIVE - {State.RUNNING}
    return queries.attempts(connection, task.id) if task.attempt > 1 or waits_again else []


def _kill(connection: Connection, task: StoredTask) -> StoredAnnotation | None:
    may_be = task.state is State.CANCELLED or task.error_kind == ErrorKind.ABANDONED
    if not may_be or task.started_at is None:
        return None
    return queries.kill_of(connection, task.id, task.started_at)


def _pipeline(connection: Connection, task: StoredTask) -> StoredPipeline | None:
    if task.dependencies is None or task.dependencies.pipeline is None:
        return None
    return queries.pipeline(connection, task.dependencies.pipeline)
