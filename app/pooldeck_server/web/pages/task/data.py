"""The data of a task's page, read in one transaction."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.actions import Action
from pooldeck_server.domain.measurements.figures import Durations
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.retention import no_task
from pooldeck_server.domain.tasks.attempt import LatestRun, StoredAttempt
from pooldeck_server.domain.tasks.dependencies import RelatedTasks
from pooldeck_server.domain.tasks.log import LogWindow, StoredLine
from pooldeck_server.domain.tasks.pipelines import StoredPipeline
from pooldeck_server.domain.tasks.states import LIVE, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.domain.tasks.waiting import WaitFacts
from pooldeck_server.store import queries

_FIRST_LINES: Final = 50
_ACTIONS: Final = 10


class LogData(Struct, frozen=True):
    """A task with lines of its log: those in `window`.

    `beginning` are the first lines of a log that has lost `left_out` lines, if these are its last.
    """

    task: StoredTask
    window: LogWindow
    log: Sequence[StoredLine]
    beginning: Sequence[StoredLine] = ()
    left_out: int = 0


class TaskData(LogData, frozen=True, kw_only=True):
    """A task with what belongs to it; `are_erased`: its sensitive arguments are gone.

    `log_of_worker` names the worker of the attempt whose log is shown, if it spoke meanwhile.
    """

    attempts: Sequence[StoredAttempt]  # none where the task itself says all of them
    runs: Sequence[LatestRun]
    durations: Durations
    kill: StoredAnnotation | None
    are_erased: bool
    actions: Sequence[Action] = ()  # the latest that were done to it, newest first
    around: RelatedTasks = RelatedTasks()
    pipeline: StoredPipeline | None = None
    log_of_worker: str | None = None
    wait: WaitFacts | None = None  # what is known of why it waits

    @property
    def shown(self) -> StoredTask | StoredAttempt:
        """The attempt whose log is shown."""
        attempt = self.window.attempt or self.task.attempt
        return next((each for each in self.attempts if each.attempt == attempt), self.task)


def read(
    connection: Connection, task_id: str, window: LogWindow, line: int | None = None
) -> TaskData:
    """Read a task with what belongs to it; of its log a part that has `line` in it, if it is given.

    Raises:
        NotFound: If there is no such task.
    """
    task = _task(connection, task_id)
    log = queries.log_window(connection, task_id, window)
    if line is not None and all(each.n != line for each in log):
        window = replace(window, before=line + window.limit // 2)
        log = queries.log_window(connection, task_id, window)
    found = TaskData(
        task=task,
        window=window,
        log=log,
        attempts=_attempts(connection, task),
        runs=queries.latest_runs(connection, task.function, task.seq),
        durations=queries.durations(connection, task.function),
        kill=_kill(connection, task),
        are_erased=queries.are_arguments_erased(connection, task_id),
        actions=queries.actions_on_task(connection, task.seq, _ACTIONS),
        around=queries.related_tasks(connection, task.seq),
        pipeline=_pipeline(connection, task),
        wait=queries.wait_facts(connection, task),
    )
    missing, beginning = _beginning(connection, found)
    return replace(
        found,
        left_out=missing,
        beginning=beginning,
        log_of_worker=_log_of_worker(connection, found),
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
        raise no_task(task_id, queries.deleted(connection, "task", task_id))
    return task


def _attempts(connection: Connection, task: StoredTask) -> list[StoredAttempt]:
    waits_again = task.attempt == 1 and task.state in LIVE - {State.RUNNING}
    return queries.attempts(connection, task.id) if task.attempt > 1 or waits_again else []


def _kill(connection: Connection, task: StoredTask) -> StoredAnnotation | None:
    may_be = task.state is State.CANCELLED or task.error_kind == ErrorKind.ABANDONED
    if not may_be or task.started_at is None:
        return None
    return queries.kill_of(connection, task.id, task.started_at)


def _beginning(connection: Connection, read: TaskData) -> tuple[int, Sequence[StoredLine]]:
    """Return how many lines of a log are missing and its first ones, where its end is shown."""
    window = read.window
    if window.before is not None or len(read.log) < window.limit:
        return 0, ()
    missing = queries.left_out(connection, read.task.id, window.attempt)
    first = replace(window, after=0, limit=_FIRST_LINES)
    return missing, queries.log_window(connection, read.task.id, first) if missing else ()


def _log_of_worker(connection: Connection, read: TaskData) -> str | None:
    shown = read.shown
    if shown.worker is None or shown.started_at is None:
        return None
    has_spoken = queries.is_in_worker_log(
        connection, shown.worker, read.task.id, shown.started_at, shown.finished_at
    )
    return shown.worker if has_spoken else None


def _pipeline(connection: Connection, task: StoredTask) -> StoredPipeline | None:
    if task.dependencies is None or task.dependencies.pipeline is None:
        return None
    return queries.pipeline(connection, task.dependencies.pipeline)
