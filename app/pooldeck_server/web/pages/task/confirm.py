"""The questions before a task is killed, and before it is deleted."""

from typing import Final

from pooldeck.kinds import Ending
from pooldeck_server.domain.pools.health import SlotHealth
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.shared.confirmation import TaskConfirmation
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later
from pooldeck_server.web.text.kill_questions import KILL_WORDS

_HAS_ENDED: Final = later("It has ended: there is nothing to kill.")
_ENDS_NOW: Final = later("No worker has it any more: it ends at this moment.")


def kill_task(task: StoredTask, slot: SlotHealth | None) -> TaskConfirmation:
    ending = _ending(task, slot)
    words = KILL_WORDS[ending or Ending.WORKER_ENDED]
    over = _HAS_ENDED if task.state in FINAL else _ENDS_NOW
    return TaskConfirmation(
        heading=_(words.question, function=formats.short_name(task.function)),
        sentences=tuple(map(_, words.sentences if ending else (over,))),
        action=f"/tasks/{task.id}/kill",
        button=_(words.button) if ending else None,
        back=f"/tasks/{task.id}",
        asks_reason=True,
    )


def delete_task(task: StoredTask) -> TaskConfirmation:
    """Return the question before a task is deleted."""
    is_final = task.state in FINAL
    return TaskConfirmation(
        heading=_("Delete this task of %(function)s?", function=formats.short_name(task.function)),
        sentences=(
            _("It goes with its arguments, result, attempts and log. Nothing brings it back.")
            if is_final
            else _("It has not ended: cancel it first."),
        ),
        action=f"/tasks/{task.id}/delete",
        button=_("Delete task") if is_final else None,
        back=f"/tasks/{task.id}",
        asks_reason=True,
    )


def _ending(task: StoredTask, slot: SlotHealth | None) -> Ending | None:
    """Return how a task ends if it is killed now, None if there is nothing to be ended."""
    if task.state in FINAL:
        return None
    if slot is not None and (slot.elapsed is not None or task.state is State.RUNNING):
        return slot.if_killed
    return None if task.state is State.RUNNING else Ending.NEVER_STARTED
