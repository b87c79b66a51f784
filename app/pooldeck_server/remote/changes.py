"""`pooldeck cancel` and `pooldeck retry`: of tasks by their ids, or of all that fit a filter."""

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, TypeAlias

import typer

from pooldeck_server.command_line.complaint import NOT_DONE, WRONG, Complaint
from pooldeck_server.command_line.output import Output, is_closed
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.completion import tasks
from pooldeck_server.remote.filters import filtered
from pooldeck_server.remote.formats import counted
from pooldeck_server.remote.naming import whole_id
from pooldeck_server.remote.server import RemoteServer

_DONE: Final = frozenset(
    {"cancelled", "cancel_requested", "killed", "abandoned", "unreached", "retried"}
)
_WORDS: Final = {"unreached": "asked to end; its host has no contact"}
"""What is said of an outcome whose name does not say it."""

_ALIVE: Final = ("scheduled", "queued", "running")
_ENDED: Final = ("succeeded", "failed", "cancelled", "lost")
_PAGE: Final = 500

Ids: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="of tasks, or their beginnings", autocompletion=tasks),
]
Reason: TypeAlias = Annotated[
    str | None, typer.Option(help="why; it is kept in the record, and shown")
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]


@remote
@filtered
def cancel(
    server: RemoteServer,
    output: Output,
    conditions: Mapping[str, Any],
    *,
    ids: Ids = None,
    kill: Annotated[
        bool, typer.Option("--kill", help="end it even while it runs, as far as can be")
    ] = False,
    reason: Reason = None,
    yes: Yes = False,
) -> int:
    """Cancel tasks: those that are named, or all that fit and have not ended.

    What waits never runs. What runs is asked to end, or with --kill ended with its process. How
    many fit is said, and asked about, before anything is done.

    Exit codes: 0 done, 1 nothing was done, 4 the server refused it.
    """
    more = {"kill": kill} | ({"reason": reason} if reason else {})
    change = _Change(server, output, "cancel", _ALIVE, more)
    return change.make(ids or (), conditions, is_sure=yes)


@remote
@filtered
def retry(
    server: RemoteServer,
    output: Output,
    conditions: Mapping[str, Any],
    *,
    ids: Ids = None,
    reason: Reason = None,
    yes: Yes = False,
) -> int:
    """Run tasks again that have ended: those that are named, or all that fit.

    Each is run as a new attempt of the same task. How many fit is said, and asked about, before
    anything is done: say --state failed, or those that succeeded are run again too.

    Exit codes: 0 done, 1 nothing was done, 4 the server refused it.
    """
    change = _Change(server, output, "retry", _ENDED, {"reason": reason} if reason else {})
    return change.make(ids or (), conditions, is_sure=yes)


class _Change:
    """A change of several tasks, by the calls of the API that make it."""

    def __init__(
        self,
        server: RemoteServer,
        output: Output,
        name: str,
        states: Sequence[str],
        more: Mapping[str, Any],
    ) -> None:
        self._server, self._output = server, output
        self._name, self._states, self._more = name, states, more

    def make(self, ids: Sequence[str], conditions: Mapping[str, Any], *, is_sure: bool) -> int:
        if ids and conditions:
            raise Complaint("name tasks by their ids, or by a filter: not both", exit_code=WRONG)
        if not ids and not conditions:
            raise Complaint(
                f"which tasks? Name their ids, or say by a filter which: pooldeck {self._name} "
                "--help",
                exit_code=WRONG,
            )
        if ids:
            which: dict[str, Any] = {"ids": [whole_id(self._server, each) for each in ids]}
        else:
            which = {"filter": dict(conditions)}
            if not is_sure:
                self._ask(conditions)
        return self._say(self._server.post(f"/tasks/{self._name}", {**which, **self._more}))

    def _ask(self, conditions: Mapping[str, Any]) -> None:
        """Say how many tasks are meant, and go on only after a yes."""
        states = [each for each in conditions.get("state", self._states) if each in self._states]
        params = {**conditions, "state": states, "limit": _PAGE}
        found = self._server.get("/tasks", params) if states else {"items": [], "next_cursor": ""}
        number = len(found["items"])
        if not number:
            raise Complaint(f"no task fits that can be {self._past}")
        if is_closed(sys.stdin) or not sys.stdin.isatty():
            raise Complaint(
                f"{self._counted(found)} would be {self._past}; nobody can be asked: say --yes",
                exit_code=WRONG,
            )
        if not typer.confirm(f"{self._name} {self._counted(found)}?", err=True):
            raise Complaint("nothing was done")

    @property
    def _past(self) -> str:
        return {"cancel": "cancelled", "retry": "retried"}[self._name]

    @staticmethod
    def _counted(found: Mapping[str, Any]) -> str:
        words = counted(len(found["items"]), "task")
        return f"{words} or more" if found["next_cursor"] else words

    def _say(self, answer: dict[str, Any]) -> int:
        """Print what became of those that were meant."""
        if self._output.is_json:
            self._output.json(answer)
        else:
            for outcome, number in answer["outcomes"].items():
                words = _WORDS.get(outcome, outcome.replace("_", " "))
                self._output.line(f"{counted(number, 'task')}: {words}")
            if not answer["outcomes"]:
                self._output.note(f"no task fits that can be {self._past}")
        return 0 if _DONE & answer["outcomes"].keys() else NOT_DONE
