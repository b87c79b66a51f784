"""What is asked before many tasks are cancelled or run again: all of a filter, or chosen ones."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import TaskFilter
from pooldeck_server.web.pages.shared.confirmation import TaskConfirmation
from pooldeck_server.web.pages.tasks.address import TaskListQuery, href, pairs
from pooldeck_server.web.pages.tasks.view import conditions
from pooldeck_server.web.text.i18n import _, later, ngettext
from pooldeck_server.web.text.kill import KILL_WHAT_RUNS

BEFORE: Final = "before"
"""The hidden field that keeps tasks out which were submitted after the number was said."""

CHOSEN: Final = "id"
"""The field of a form that names a chosen task; it stands there once for each."""

_CANCEL: Final = later("What waits is cancelled; what runs is asked to end itself.")
_RETRY: Final = later("Each is queued again, as a new attempt of the same task.")
_RETRY_ALL: Final = later("Each is queued again, as a new attempt; those that succeeded, too.")


def cancel_matching(wanted: TaskFilter, number: int, now: int) -> TaskConfirmation:
    """Ask before all tasks that a filter fits, and that have not ended, are cancelled.

    Args:
        wanted: The filter.
        number: How many that are.
        now: Microseconds since the epoch; what is submitted later is not meant.
    """
    nothing = _("Nothing that matches is still to be cancelled.")
    return _cancel(number, nothing, **_of_filter(wanted, now))


def retry_matching(wanted: TaskFilter, number: int, now: int) -> TaskConfirmation:
    """Ask before all tasks that a filter fits, and that have ended, are run again.

    The arguments are those of `cancel_matching`.
    """
    states = wanted.states or tuple(State)
    nothing = _("Nothing that matches has ended.")
    return _retry(number, states, nothing, **_of_filter(wanted, now))


def cancel_chosen(ids: Sequence[str], states: Sequence[State], back: str) -> TaskConfirmation:
    """Ask before chosen tasks are cancelled.

    Args:
        ids: All that were chosen.
        states: The states of those among them that can be cancelled.
        back: Where "no" leads.
    """
    nothing = _("All that you chose have ended: there is nothing to cancel.")
    return _cancel(len(states), nothing, **_of_choice(ids, len(states), back))


def retry_chosen(ids: Sequence[str], states: Sequence[State], back: str) -> TaskConfirmation:
    """Ask before chosen tasks are run again; the arguments are those of `cancel_chosen`."""
    nothing = _("None that you chose has ended: there is nothing to run again.")
    return _retry(len(states), states, nothing, **_of_choice(ids, len(states), back))


def _cancel(
    number: int, nothing: str, *, note: tuple[str, ...] = (), **more: Any
) -> TaskConfirmation:
    heading = ngettext("Cancel %(num)s task?", "Cancel %(num)s tasks?", number)
    return TaskConfirmation(
        heading=heading,
        sentences=(_(_CANCEL), *note) if number else (nothing,),
        action="/tasks/cancel",
        button=ngettext("Cancel %(num)s task", "Cancel %(num)s tasks", number) if number else None,
        check=("kill", _(KILL_WHAT_RUNS)),
        asks_reason=True,
        **more,
    )


def _retry(
    number: int,
    states: Collection[State],
    nothing: str,
    *,
    note: tuple[str, ...] = (),
    **more: Any,
) -> TaskConfirmation:
    what_happens = _(_RETRY_ALL if State.SUCCEEDED in states else _RETRY)
    return TaskConfirmation(
        heading=ngettext("Retry %(num)s task?", "Retry %(num)s tasks?", number),
        sentences=(what_happens, *note) if number else (nothing,),
        action="/tasks/retry",
        button=ngettext("Retry %(num)s task", "Retry %(num)s tasks", number) if number else None,
        style="primary",
        **more,
    )


def _of_filter(wanted: TaskFilter, now: int) -> dict[str, Any]:
    """Return what a question says of a filter."""
    return {
        "back": href(TaskListQuery(wanted)),
        "conditions": conditions(wanted),
        "hidden": (*pairs(wanted), (BEFORE, str(now))),
    }


def _of_choice(ids: Sequence[str], number: int, back: str) -> dict[str, Any]:
    """Return what a question says of chosen tasks, of which only some may be changed."""
    others = len(ids) - number
    note = ngettext(
        "%(num)s of those that you chose stays as it is: its state does not allow this.",
        "%(num)s of those that you chose stay as they are: their states do not allow this.",
        others,
    )
    hidden = (*((CHOSEN, task_id) for task_id in ids), ("back", back))
    return {"back": back, "note": (note,) if others else (), "hidden": hidden}
