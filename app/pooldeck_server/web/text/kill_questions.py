"""Words for killing a task: what is asked, what would happen, and what the button says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pooldeck.kinds import Ending
from pooldeck_server.web.text.i18n import _, later

KILL_WHAT_RUNS: Final = later(
    "Kill what runs: processes and commands are ended, functions in threads abandoned"
)
"""The words of a box to tick, where many tasks are to be cancelled."""

_CHILDREN_TOO: Final = later("Processes that it started are ended too.")
_CANCELLED: Final = later("The task then counts as cancelled.")


@dataclass(frozen=True)
class KillWords:
    """What is said of a kill that ends in one way: English, to be looked up."""

    question: str  # with a place for the `function`
    button: str
    sentences: tuple[str, ...]  # what would happen


_KILL: Final = later("Kill %(function)s?")

KILL_WORDS: Final[Mapping[Ending, KillWords]] = {
    Ending.WORKER_ENDED: KillWords(
        _KILL,
        later("Kill task"),
        (
            later("Its worker process is ended at once, and another takes its place."),
            _CHILDREN_TOO,
            _CANCELLED,
        ),
    ),
    Ending.COMMAND_ENDED: KillWords(
        _KILL,
        later("Kill command"),
        (
            later(
                "Its command is told to end, and killed if it has not ended after its grace "
                "period; the thread that waits for it goes on with other tasks."
            ),
            _CHILDREN_TOO,
            _CANCELLED,
        ),
    ),
    Ending.ABANDONED: KillWords(
        later("Abandon %(function)s?"),
        later("Abandon task"),
        (
            later("It runs in a thread, which cannot be ended: it is abandoned."),
            later(
                "The task then counts as failed, its slot is free again, and what it returns is "
                "dropped."
            ),
            later(
                "To end it for good, kill its worker on the page of the pools, with all tasks in "
                "it."
            ),
        ),
    ),
    Ending.NEVER_STARTED: KillWords(
        later("Cancel %(function)s?"),
        later("Cancel task"),
        (later("It has not started, and then never will."), _CANCELLED),
    ),
    Ending.UNREACHED: KillWords(
        _KILL,
        later("Kill task"),
        (
            later("Its host has no contact: it is asked to kill the task when it has."),
            later("Until then the task may run on; if the host is lost, so is the task."),
        ),
    ),
}


def kill_button(ending: Ending | None) -> str:
    """Return what the button says that kills a task; None if nothing runs it at this moment."""
    return _(KILL_WORDS[ending or Ending.WORKER_ENDED].button)
