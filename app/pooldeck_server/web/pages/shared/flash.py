"""Flash messages: what a page says of what somebody has just done there.

Forms answer with a redirect, so that a reload does nothing twice. What was done stands in the
address as a word of a closed list, never as text.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.datastructures import QueryParams

from pooldeck.kinds import Ending
from pooldeck_server.domain.failures.error_groups import GroupChange
from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later

DID: Final = "did"
"""The parameter of an address that names what was done."""

FLASHES: Final[Mapping[str, Mapping[str, str]]] = {
    "task": {
        "cancelled": later("It was cancelled before it started."),
        "cancel_requested": later(
            "It was asked to end itself: a function does so where it looks at "
            "current_task().cancelled, a command is told to."
        ),
        Ending.WORKER_ENDED: later(
            "It was killed: its worker process was ended, and another takes its place."
        ),
        Ending.COMMAND_ENDED: later(
            "It was killed: its command was made to end, and the thread that waited for it goes on."
        ),
        Ending.NEVER_STARTED: later("It was killed before it started."),
        Ending.ABANDONED: later(
            "It was abandoned: its thread cannot be ended and runs on, but its slot is free."
        ),
        Ending.UNREACHED: later(
            "Its host has no contact: it is asked to kill the task when it has. Until then the "
            "task may run on; if the host is lost, so is the task."
        ),
        "already_ended": later("It had ended before."),
        "retried": later("It is queued again, as a new attempt."),
        "edited": later("It is changed."),
        "not_edited": later("Nothing was changed."),
        "run_now": later("It runs as soon as a slot is free."),
        "is_kept": later("It is kept: it is not deleted until somebody lets it go."),
        "let_go": later("It goes when it is its time."),
    },
    "retention": {
        "set": later("These rules count now."),
        "reset": later("The rules of the settings count again."),
        "allowed": later("What is too old is deleted from now on, bit by bit."),
        "vouched": later("The clock counts as it is: what is too old by it is deleted."),
        "deleting": later("They are many: they are deleted from now on, bit by bit."),
        "deletion_over": later("The deletion had come to its end before."),
        "deletion_stopped": later("The deletion was stopped; what is left is still there."),
    },
    "tasks": {
        "cancelled": later("%(number)s cancelled"),
        "cancel_requested": later("%(number)s asked to end"),
        "killed": later("%(number)s killed"),
        "abandoned": later("%(number)s abandoned"),
        "unreached": later("%(number)s on hosts without contact, which were asked to kill them"),
        "already_ended": later("%(number)s had ended before"),
        "retried": later("%(number)s queued again"),
        "deleted": later("%(number)s deleted"),
        "kept": later("%(number)s kept by hand"),
        "needed": later("%(number)s that other tasks need"),
        "in_pipeline": later("%(number)s of pipelines, which go as a whole"),
        "not_final": later("%(number)s that had not ended"),
    },
    "pipeline": {
        "cancelled": later("What had not started is cancelled; what runs was asked to end."),
        "killed": later(
            "What had not started is cancelled; what ran was killed, or abandoned where it ran in "
            "a thread."
        ),
    },
    "errors": {
        GroupChange.FIX: later(
            "It is marked as fixed. If a task that starts from now on fails so, every page says "
            "that it has returned."
        ),
        GroupChange.MUTE: later("It is muted: counted, but listed apart."),
        GroupChange.UNMUTE: later("It is not muted any more."),
        GroupChange.REOPEN: later("It is open again."),
    },
    "alerts": {
        "rule_changed": later("The rule is changed."),
        "added": later("The destination is added."),
        "enable": later("The destination is on: what waits for it is sent."),
        "disable": later("The destination is off."),
        "rules": later("What it is told of is changed."),
        "delete": later("The destination is deleted."),
        "test": later("A test is on its way: what becomes of it stands below."),
        "again": later("It is tried again now."),
        "callbacks_enable": later("Callbacks are on: what waits is told."),
        "callbacks_disable": later("Callbacks are off: what waits waits on."),
    },
    "experiments": {
        "begun": later("The experiment has begun."),
        "stopped": later("The experiment was stopped; what it measured is kept."),
    },
    "function": {
        "placed": later(
            "What is submitted from now on runs there; tasks that wait stay where they are."
        ),
        "given_back": later("The server chooses its pool again, by its signature."),
        "held": later("It is on hold: its tasks wait, and new ones are refused."),
        "paused": later("It is paused: its tasks wait, and new ones are taken."),
        "released": later("It was released: its tasks run again, and new ones are taken."),
        "resumed": later("It goes on: its tasks run again."),
    },
    "functions": {
        "released": later("It was released: its tasks run again, and new ones are taken."),
        "resumed": later("It goes on: its tasks run again."),
    },
    "tokens": {"revoked": later("It was revoked: it counts no more.")},
    "drain": {
        "begun": later("The server takes nothing new; what runs goes on."),
        "resumed": later("The server takes tasks again."),
    },
    "pools": {
        "resized": later("It has another size now."),
        "hosts_wanted": later("Another number of hosts is asked for now."),
        "paused": later("It is paused: what runs goes on, what is queued waits."),
        "resumed": later("It hands out what is queued."),
        "draining": later("It finishes what runs and hands nothing new out; then it is stopped."),
        "restarting": later("Its workers are replaced one by one; each loads the code anew."),
        "killed": later("The worker was killed, and another takes its place."),
        "host_drained": later("The host finishes what runs there, and is handed nothing new."),
        "host_ended": later("The host was ended, with all that ran there."),
        "restored_run": later("The tasks of the backup run as the pools get to them."),
        "restored_lost": later("The tasks that waited in the backup are recorded as lost."),
        "unscheduled": later("Its tasks that no worker could run were cancelled."),
    },
}
"""What is said of what was done, by the screen that says it and the word in the address."""

_MANY: Final = "many"
_REFUSALS: Final = {error.code: error.title for error in STATUS}
_MOST_DIGITS: Final = 12


def flash(query: QueryParams, flashes: Mapping[str, str]) -> str | None:
    """Return what is said of what was done; None where the address names nothing of `flashes`."""
    words = flashes.get(query.get(DID) or "")
    return None if words is None else _(words)


def numbers(done: BulkDone) -> list[tuple[str, str]]:
    return [(DID, _MANY), *((name, str(number)) for name, number in done.outcomes.items())]


def flash_of_many(query: QueryParams, flashes: Mapping[str, str]) -> str | None:
    """Return what is said of a change of many, in words with a place for the `number` of tasks."""
    if query.get(DID) != _MANY:
        return None
    parts = [_(flashes[name], number=number) for name, number in _given(query, flashes)]
    parts += [
        _("%(number)s refused (%(why)s)", number=number, why=_(_REFUSALS[name]))
        for name, number in _given(query, _REFUSALS)
    ]
    return _("%(parts)s.", parts=_(", ").join(parts)) if parts else _("No task was changed.")


def _given(query: QueryParams, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in names:
        number = query.get(name) or ""
        if number.isdecimal() and len(number) <= _MOST_DIGITS:
            yield name, formats.count(int(number))
