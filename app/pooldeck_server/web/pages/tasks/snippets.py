"""What can be copied from the list of tasks: the calls that list, retry and cancel what fits."""

import msgspec
from fastapi import Request
from msgspec.structs import replace

from pooldeck_server.domain.tasks.filter import Sort, TaskFilter
from pooldeck_server.domain.tasks.states import FINAL, LIVE, State
from pooldeck_server.web.http.rules import may
from pooldeck_server.web.http.sight import Sight
from pooldeck_server.web.pages.shared.snippets import Snippets, address_of, of_call, of_list
from pooldeck_server.web.pages.tasks.address import TaskListQuery, pairs
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.snippets.call import API, Address, Call, as_json
from pooldeck_server.web.text.snippets.command_line import conditions


def snippets(request: Request, view: TaskListQuery, now: int, sight: Sight) -> tuple[Snippets, ...]:
    """Return what can be copied: what the list shows, and what its reader may do with all of it."""
    address, wanted = address_of(request), view.filter(now)
    states = wanted.states or tuple(State)
    found = [_list(address, view, wanted)]
    if FINAL.intersection(states) and may("POST", f"{API}/tasks/retry", sight.principal):
        found.append(_change(address, "retry", _("Retry all that match"), wanted, FINAL))
    if LIVE.intersection(states) and may("POST", f"{API}/tasks/cancel", sight.principal):
        found.append(_change(address, "cancel", _("Cancel all that match"), wanted, LIVE))
    return tuple(found)


def _list(address: Address, view: TaskListQuery, wanted: TaskFilter) -> Snippets:
    sort = [] if view.sort is Sort.CREATED else [("sort", view.sort.value)]
    return of_list(address, (*pairs(wanted), *sort))


def _change(
    address: Address, change: str, heading: str, wanted: TaskFilter, possible: frozenset[State]
) -> Snippets:
    """Return a change of all that match; the command has to name a condition, so the `possible`."""
    call = Call("POST", f"{API}/tasks/{change}", body=_body(wanted).encode())
    asked = pairs(wanted) or [("state", state.value) for state in State if state in possible]
    found = of_call(f"{change}-tasks", heading, address, call, change, *conditions(asked))
    return found.noting(_("Only the command line asks first."))


def _body(wanted: TaskFilter) -> str:
    """Return a filter as the API takes it; all tasks have to be meant expressly."""
    if wanted == TaskFilter():
        return as_json({"all": True})
    times = {name: getattr(wanted, name) for name in ("since", "until")}
    given = msgspec.to_builtins(replace(wanted, since=None, until=None))
    fields = {name: value for name, value in given.items() if value}
    moments = {name: formats.iso(at) for name, at in times.items() if at is not None}
    return as_json({"filter": fields | moments})
