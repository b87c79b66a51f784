"""What is asked before something is done that cannot be undone, or that many tasks feel."""

from dataclasses import dataclass
from typing import Final, Literal

from app.domain.health import PoolHealth, WorkerHealth
from app.domain.states import State
from app.domain.tasks import StoredTask, TaskFilter
from app.web import formats
from app.web.contexts.tasks import href, pairs

BEFORE: Final = "before"
"""The hidden field that keeps tasks out which were submitted after the number was said."""

_IN_A_PROCESS: Final = (
    "Its worker process is ended at once, and another takes its place.",
    "Processes that it started are ended too.",
    "The task then counts as cancelled.",
)
_IN_A_THREAD: Final = (
    "It runs in a thread, which cannot be ended: it is abandoned.",
    "The task then counts as failed, its slot is free again, and what it returns is dropped.",
    "To end it for good, kill its worker on the page of the pools, with all tasks in it.",
)
_WORKER_ENDS: Final = "It is ended at once, with all that it started; another takes its place."
_CANCEL: Final = "What waits is cancelled; what runs is asked to end itself."
_RETRY: Final = "Each is queued again, as a new attempt of the same task."
_RETRY_ALL: Final = "Each is queued again, as a new attempt; those that succeeded, too."


@dataclass(frozen=True)
class Confirmation:
    """A question: what would happen, in sentences, and the form that makes it happen.

    `section` is the entry of the navigation it belongs to, `back` where "no" leads. Without a
    `button` there is nothing to be done. `conditions` say which tasks are meant, None where that
    is clear; `check` is a box to tick: its name and its words.
    """

    section: str
    heading: str
    sentences: tuple[str, ...]
    action: str
    button: str | None
    back: str
    conditions: tuple[tuple[str, str], ...] | None = None
    hidden: tuple[tuple[str, str], ...] = ()
    check: tuple[str, str] | None = None
    style: Literal["danger", "primary"] = "danger"


def kill_task(task: StoredTask, kind: str | None) -> Confirmation:
    """Ask before a running task is killed; `kind` is that of its pool, None if it is gone."""
    return Confirmation(
        section="tasks",
        heading=f"Kill {formats.short_name(task.function)}?",
        sentences=_IN_A_THREAD if kind == "thread" else _IN_A_PROCESS,
        action=f"/tasks/{task.id}/kill",
        button="Kill task",
        back=f"/tasks/{task.id}",
    )


def kill_worker(pool: PoolHealth, worker: WorkerHealth) -> Confirmation:
    """Ask before a worker is killed."""
    number = sum(slot.task is not None and not slot.abandoned for slot in worker.slots)
    cancelled = f"What runs in it counts as cancelled: {_tasks(number)}."
    return Confirmation(
        section="pools",
        heading=f"Kill {worker.id}?",
        sentences=(_WORKER_ENDS, cancelled if number else "No task runs in it."),
        action=f"/workers/{worker.id}/kill",
        button="Kill worker",
        back=f"/pools#{pool.name}",
    )


def cancel_matching(wanted: TaskFilter, number: int, now: int) -> Confirmation:
    """Ask before all tasks that a filter fits, and that have not ended, are cancelled.

    Args:
        wanted: The filter.
        number: How many that are.
        now: Microseconds since the epoch; what is submitted later is not meant.
    """
    return Confirmation(
        section="tasks",
        heading=f"Cancel {_tasks(number)}?",
        sentences=(_CANCEL if number else "Nothing that matches is still to be cancelled.",),
        action="/tasks/cancel",
        button=f"Cancel {_tasks(number)}" if number else None,
        back=href(wanted),
        conditions=tuple(pairs(wanted)),
        hidden=(*pairs(wanted), (BEFORE, str(now))),
        check=("kill", "Kill what runs: processes are ended, threads abandoned"),
    )


def retry_matching(wanted: TaskFilter, number: int, now: int) -> Confirmation:
    """Ask before all tasks that a filter fits, and that have ended, are run again.

    The arguments are those of `cancel_matching`.
    """
    of_any_end = not wanted.states or State.SUCCEEDED in wanted.states
    what_happens = _RETRY_ALL if of_any_end else _RETRY
    return Confirmation(
        section="tasks",
        heading=f"Retry {_tasks(number)}?",
        sentences=(what_happens if number else "Nothing that matches has ended.",),
        action="/tasks/retry",
        button=f"Retry {_tasks(number)}" if number else None,
        back=href(wanted),
        conditions=tuple(pairs(wanted)),
        hidden=(*pairs(wanted), (BEFORE, str(now))),
        style="primary",
    )


def _tasks(number: int) -> str:
    return "1 task" if number == 1 else f"{formats.count(number)} tasks"
