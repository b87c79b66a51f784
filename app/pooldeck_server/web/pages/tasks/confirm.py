"""The question before many tasks are cancelled, run again or deleted: of a filter, or chosen."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.pages.shared.confirmation import TaskConfirmation
from pooldeck_server.web.pages.tasks.address import TaskListQuery, href, pairs
from pooldeck_server.web.pages.tasks.view import conditions
from pooldeck_server.web.text.i18n import _, later, ngettext
from pooldeck_server.web.text.kill_questions import KILL_WHAT_RUNS

BEFORE: Final = "before"
"""The hidden field that keeps tasks out which were submitted after the number was said."""

CHOSEN: Final = "id"
"""The field of a form that names a chosen task; it stands there once for each."""

_RETRY: Final = later("Each is queued again, as a new attempt of the same task.")
_RETRY_ALL: Final = later("Each is queued again, as a new attempt; those that succeeded, too.")


@dataclass(frozen=True)
class Meant:
    """The tasks that a question is about: how many can be changed, and the fields that name them.

    `states` are those that they are in; `back` is where "no" leads. `conditions` say which tasks
    are meant, None where that is clear; `note` is said of those that stay as they are.
    """

    number: int
    states: Collection[State]
    back: str
    hidden: tuple[tuple[str, str], ...]
    conditions: tuple[tuple[str, str], ...] | None = None
    note: tuple[str, ...] = ()


def all_matching(wanted: TaskFilter, number: int, now: int) -> Meant:
    """Return the `number` of tasks that a filter fits, of those submitted up to `now`."""
    hidden = (*pairs(wanted), (BEFORE, str(now)))
    back = href(TaskListQuery(wanted))
    return Meant(number, wanted.states or tuple(State), back, hidden, conditions(wanted))


def chosen(ids: Sequence[str], states: Sequence[State], back: str) -> Meant:
    """Return the tasks that were chosen; `states` are those of them that can be changed."""
    others = len(ids) - len(states)
    note = ngettext(
        "%(num)s of those that you chose stays as it is: its state does not allow this.",
        "%(num)s of those that you chose stay as they are: their states do not allow this.",
        others,
    )
    hidden = (*((CHOSEN, task_id) for task_id in ids), ("back", back))
    return Meant(len(states), states, back, hidden, note=(note,) if others else ())


def cancel(meant: Meant) -> TaskConfirmation:
    number = meant.number
    nothing = (
        _("Nothing that matches is still to be cancelled.")
        if meant.conditions is not None
        else _("All that you chose have ended: there is nothing to cancel.")
    )
    what_happens = _("What waits is cancelled; what runs is asked to end itself.")
    return TaskConfirmation(
        heading=ngettext("Cancel %(num)s task?", "Cancel %(num)s tasks?", number),
        sentences=(what_happens, *meant.note) if number else (nothing,),
        action="/tasks/cancel",
        button=ngettext("Cancel %(num)s task", "Cancel %(num)s tasks", number) if number else None,
        back=meant.back,
        conditions=meant.conditions,
        hidden=meant.hidden,
        check=("kill", _(KILL_WHAT_RUNS)),
        asks_reason=True,
    )


def delete(meant: Meant) -> TaskConfirmation:
    """Return the question before tasks are deleted."""
    number = meant.number
    nothing = _("None of them has ended: there is nothing to delete.")
    what_happens = (
        _("Each goes with its arguments, result, attempts and log. Nothing brings it back."),
        _("What others still need stays, and what is kept by hand. A pipeline goes as a whole."),
    )
    return TaskConfirmation(
        heading=ngettext("Delete %(num)s task?", "Delete %(num)s tasks?", number),
        sentences=(*what_happens, *meant.note) if number else (nothing,),
        action="/tasks/delete",
        button=ngettext("Delete %(num)s task", "Delete %(num)s tasks", number) if number else None,
        back=meant.back,
        conditions=meant.conditions,
        hidden=meant.hidden,
        asks_reason=True,
    )


def retry(meant: Meant) -> TaskConfirmation:
    number = meant.number
    nothing = (
        _("Nothing that matches has ended.")
        if meant.conditions is not None
        else _("None that you chose has ended: there is nothing to run again.")
    )
    what_happens = _(_RETRY_ALL if State.SUCCEEDED in meant.states else _RETRY)
    return TaskConfirmation(
        heading=ngettext("Retry %(num)s task?", "Retry %(num)s tasks?", number),
        sentences=(what_happens, *meant.note) if number else (nothing,),
        action="/tasks/retry",
        button=ngettext("Retry %(num)s task", "Retry %(num)s tasks", number) if number else None,
        back=meant.back,
        conditions=meant.conditions,
        hidden=meant.hidden,
        asks_reason=True,
        style="primary",
    )
