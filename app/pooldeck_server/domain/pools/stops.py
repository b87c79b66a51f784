"""The story of an end in good order, in words for the log: what runs, and what it cost."""

from collections.abc import Sequence
from typing import Final

from pooldeck_server.domain.failures.incidents import TaskName
from pooldeck_server.domain.pools.controls import CutOff, CutOffTask
from pooldeck_server.domain.tasks.states import State

_NAMED: Final = 5
_BECAME: Final = {State.LOST: "lost", State.QUEUED: "queued again"}


def beginning(running: Sequence[TaskName], grace_seconds: float) -> str:
    """Return what is said when the server is told to end."""
    if not running:
        return "ending: nothing runs"
    return (
        f"ending: {_counted(len(running))} and may go on for {grace_seconds:g} s: "
        f"{named(running)}; a second Ctrl-C or SIGTERM does not wait"
    )


def waiting(running: Sequence[TaskName], seconds_left: float) -> str:
    """Return what is said while the end is waited for."""
    return f"still {_counted(len(running))}, for {seconds_left:.0f} s more: {named(running)}"


def ending(cut_off: CutOff) -> str:
    """Return what is said when all has ended."""
    if not cut_off.number:
        return "ended in order"
    number = f"{cut_off.number} {'task was' if cut_off.number == 1 else 'tasks were'}"
    return f"ended in order, but {number} cut off: {named(cut_off.tasks, cut_off.number)}"


def named(tasks: Sequence[TaskName], number: int | None = None) -> str:
    """Return tasks by name, such as "jobs.nap (019a…)": a handful of them, and how many more.

    `number` is how many there are, where `tasks` are not all; what a task became is said of those
    that were cut off.
    """
    shown = [_name(task) for task in tasks[:_NAMED]]
    more = (len(tasks) if number is None else number) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _name(task: TaskName) -> str:
    name = f"{task.function} ({task.task})"
    return f"{name} {_BECAME[task.became]}" if isinstance(task, CutOffTask) else name


def _counted(number: int) -> str:
    return "1 task runs" if number == 1 else f"{number} tasks run"
