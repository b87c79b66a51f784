"""What is asked before something is done that cannot be undone, or that many tasks feel."""

from dataclasses import dataclass
from typing import Final, Literal

from pooldeck.kinds import Ending
from pooldeck_server.domain.pools.health import SlotHealth
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later
from pooldeck_server.web.text.kill import KILL_WORDS

_HAS_ENDED: Final = later("It has ended: there is nothing to kill.")
_ENDS_NOW: Final = later("No worker has it any more: it ends at this moment.")


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


def kill_task(task: StoredTask, slot: SlotHealth | None) -> Confirmation:
    """Ask before a task is killed; `slot` is where it runs, None if nowhere."""
    ending = _ending(task, slot)
    words = KILL_WORDS[ending or Ending.WORKER_ENDED]
    sentences = words.sentences if ending else (_over(task),)
    return Confirmation(
        section="tasks",
        heading=_(words.question, function=formats.short_name(task.function)),
        sentences=tuple(_(sentence) for sentence in sentences),
        action=f"/tasks/{task.id}/kill",
        button=_(words.button) if ending else None,
        back=f"/tasks/{task.id}",
        asks_reason=ending is not Ending.NEVER_STARTED,
    )


def _ending(task: StoredTask, slot: SlotHealth | None) -> Ending | None:
    """Return how a task ends if it is killed now, None if there is nothing to be ended."""
    if task.state in FINAL:
        return None
    if slot is not None and (slot.elapsed is not None or task.state is State.RUNNING):
        return slot.if_killed
    return None if task.state is State.RUNNING else Ending.NEVER_STARTED


def _over(task: StoredTask) -> str:
    return _HAS_ENDED if task.state in FINAL else _ENDS_NOW
