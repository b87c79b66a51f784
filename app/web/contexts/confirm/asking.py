"""What is asked before something is done that cannot be undone, or that many tasks feel."""

from dataclasses import dataclass
from typing import Final, Literal

from app.domain.tasks import StoredTask
from app.web import formats
from app.web.words import _, later

_IN_A_PROCESS: Final = (
    later("Its worker process is ended at once, and another takes its place."),
    later("Processes that it started are ended too."),
    later("The task then counts as cancelled."),
)
_IN_A_THREAD: Final = (
    later("It runs in a thread, which cannot be ended: it is abandoned."),
    later(
        "The task then counts as failed, its slot is free again, and what it returns is dropped."
    ),
    later("To end it for good, kill its worker on the page of the pools, with all tasks in it."),
)


@dataclass(frozen=True)
class Affected:
    """A task that would feel it, and what would become of it in a word."""

    task: str
    function: str
    becomes: str


@dataclass(frozen=True)
class Confirmation:
    """A question: what would happen, in sentences, and the form that makes it happen.

    `section` is the entry of the navigation it belongs to, `back` where "no" leads. Without a
    `button` there is nothing to be done. `conditions` say which tasks are meant, None where that
    is clear; `check` is a box to tick: its name and its words. `affected` are tasks that would end
    by it, with `unlisted` more; `asks_reason` is for what destroys: somebody may say why.
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
    affected: tuple[Affected, ...] = ()
    unlisted: int = 0
    asks_reason: bool = False
    style: Literal["danger", "primary"] = "danger"


def kill_task(task: StoredTask, kind: str | None) -> Confirmation:
    """Ask before a running task is killed; `kind` is that of its pool, None if it is gone."""
    what_happens = _IN_A_THREAD if kind == "thread" else _IN_A_PROCESS
    return Confirmation(
        section="tasks",
        heading=_("Kill %(function)s?", function=formats.short_name(task.function)),
        sentences=tuple(_(sentence) for sentence in what_happens),
        action=f"/tasks/{task.id}/kill",
        button=_("Kill task"),
        back=f"/tasks/{task.id}",
        asks_reason=True,
    )
