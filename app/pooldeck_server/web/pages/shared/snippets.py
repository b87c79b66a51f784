"""What can be copied from a page: the same call for curl, for Python and for the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from fastapi import Request
from msgspec import UNSET, Raw

from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.web.http.application import server_of
from pooldeck_server.web.http.mount import root_path_of
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.snippets import command_line, python
from pooldeck_server.web.text.snippets.call import API, LATER, Address, Call, Snippet, as_json
from pooldeck_server.web.text.snippets.curl import curl

_OPTIONS: Final = ("pool", "priority", "delay", "run_at", "tags", "timeout", "retries", "needs")
_WAIT: Final = ("wait", "30")  # seconds for the outcome to be in the answer
_LONGEST: Final = 32 * 1024  # characters: a shell takes no more than 128 KiB for one argument


@dataclass(frozen=True)
class Snippets:
    """Texts to copy that do the same: what that is in words; `note` is what they leave out."""

    id: str
    heading: str
    items: tuple[Snippet, ...]
    note: str = ""

    def noting(self, words: str) -> "Snippets":
        """Return the same with one more sentence in its note."""
        return replace(self, note=f"{self.note} {words}".strip())


def address_of(request: Request) -> Address:
    """Return where the server is for whoever reads the page.

    A token is named where it is asked of everybody: where the server's own user needs none, most
    who copy something are that user.
    """
    url, root_path = request.url, root_path_of(request.scope)
    asks_token = server_of(request).settings.admission == "tokens"
    return Address(f"{url.scheme}://{url.netloc}{root_path}", asks_token=asks_token)


def of_call(id_: str, heading: str, address: Address, call: Call, *words: str) -> Snippets:
    """Return a call as texts to copy; `words` are its command, if there is one."""
    command = (command_line.command(address, *words),) if words else ()
    if not call.path.startswith(API):
        return Snippets(id_, heading, (curl(address, call), *command))
    return Snippets(id_, heading, (curl(address, call), python.request(address, call), *command))


def of_task(address: Address, task_id: str) -> Snippets:
    """Return texts to copy that show a task."""
    items = (
        curl(address, Call("GET", f"{API}/tasks/{task_id}")),
        python.task(address, task_id),
        command_line.command(address, "task", task_id),
    )
    return Snippets("this-task", _("Show this task"), items)


def of_list(address: Address, query: Sequence[tuple[str, str]]) -> Snippets:
    """Return texts to copy that list tasks, by the parameters of the list's address."""
    items = (
        curl(address, Call("GET", f"{API}/tasks", tuple(query))),
        python.tasks(address, query),
        command_line.command(address, "tasks", *command_line.conditions(query)),
    )
    return Snippets("list-tasks", _("List these tasks"), items)


def of_submission(
    id_: str, heading: str, address: Address, wanted: Submission, function: RegisteredFunction
) -> Snippets:
    """Return a submission as texts to copy, without arguments that are sensitive."""
    args = msgspec.json.decode(wanted.args, type=list[Raw])
    kwargs = msgspec.json.decode(wanted.kwargs, type=dict[str, Raw])
    shown = function.without_sensitive(args, kwargs)
    if shown is None:
        return Snippets(
            id_, heading, (), _("Without its sensitive arguments it cannot be written.")
        )
    body = _body(wanted, *shown)
    if len(as_json(body)) > _LONGEST:
        return Snippets(id_, heading, (), _("Its arguments are too long to be copied as a text."))
    left_out = len(args) + len(kwargs) - len(shown[0]) - len(shown[1])
    note = _("Its sensitive arguments are left out: add them.") if left_out else ""
    return Snippets(id_, heading, _submission(address, options_of(wanted), body), note)


def of_body(id_: str, heading: str, address: Address, body: bytes) -> Snippets:
    """Return a submission as texts to copy, given the JSON of it that is sent."""
    options = options_of(msgspec.json.decode(body, type=Submission))
    return Snippets(id_, heading, _submission(address, options, msgspec.json.decode(body)))


def _body(wanted: Submission, args: list[Raw], kwargs: dict[str, Raw]) -> dict[str, Any]:
    """Return what is sent, without what is as it would be anyway."""
    call = {name: each for name, each in (("args", args), ("kwargs", kwargs)) if each}
    return {"function": wanted.function} | call | options_of(wanted)


def _submission(
    address: Address, options: Mapping[str, Any], body: Mapping[str, Any]
) -> tuple[Snippet, ...]:
    encoded = msgspec.json.encode(body)
    shown = msgspec.json.decode(encoded, type=Submission)
    query = () if LATER & options.keys() else (_WAIT,)
    return (
        curl(address, Call("POST", f"{API}/tasks", query, encoded)),
        python.submission(address, shown, options),
        command_line.submission(address, shown, options),
    )


def options_of(wanted: Submission) -> dict[str, Any]:
    """Return what a submission says of how it is run, as JSON has it."""
    found = {name: getattr(wanted, name) for name in _OPTIONS}
    given = {name: value for name, value in found.items() if value is not UNSET}
    found = msgspec.to_builtins(given | {"tags": list(wanted.tags)})
    return {name: value for name, value in found.items() if value is not None and value != []}
