"""How long tasks are kept: shown, set, taken back; and the yes for tasks from before."""

from typing import Final

from fastapi import Request, Response

from pooldeck_server.domain.deletions import DeletionState
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.pages.retention.form import DAYS, read_rules
from pooldeck_server.web.pages.retention.view import RetentionView, retention_view
from pooldeck_server.web.pages.shared.posting import done, posted
from pooldeck_server.web.pages.shared.refusal import FormField, FormRefusal, refusal
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.text.i18n import _

router = page_router()

_PAGE: Final = "/retention"


@router.get(_PAGE)
async def show(request: Request, server: ServerDep) -> Response:
    return render(request, await _view(server))


@router.post(_PAGE)
async def set_rules(request: Request, server: ServerDep) -> Response:
    form = await posted(request)
    try:
        rules = read_rules(form)
    except InvalidRequest as error:
        values = {name: form.get(name, "") for name in (*DAYS, "most", "functions")}
        shown = await _view(server, values, refusal(error, _controls()))
        return render(request, shown, STATUS[InvalidRequest])
    await server.retention.set_rules(rules)
    return done(_PAGE, "set")


@router.post("/retention/reset")
async def reset(server: ServerDep) -> Response:
    await server.retention.set_rules(None)
    return done(_PAGE, "reset")


@router.post("/retention/allow")
async def allow(server: ServerDep) -> Response:
    await server.retention.allow()
    return done(_PAGE, "allowed")


@router.post("/retention/vouch")
async def vouch(server: ServerDep) -> Response:
    await server.retention.vouch()
    return done(_PAGE, "vouched")


@router.post("/deletions/{name}/stop")
async def stop_deletion(server: ServerDep, name: str) -> Response:
    found = await server.deletions.stop_one(name)
    did = "deletion_stopped" if found.state is DeletionState.STOPPED else "deletion_over"
    return done(_PAGE, did, fragment="deletion")


def _controls() -> dict[str, FormField]:
    """Return the fields of the form by the names that complaints begin with."""
    labels = {
        "succeeded": _("Succeeded"),
        "failed": _("Failed"),
        "cancelled": _("Cancelled"),
        "lost": _("Lost"),
        "most": _("Most tasks in all"),
        "others": _("Everything else"),
    }
    controls = {name: FormField(f"rule-{name}", label) for name, label in labels.items()}
    return controls | {"functions": FormField("functions", _("Functions of their own"))}


async def _view(
    server: Server, values: dict[str, str] | None = None, refused: FormRefusal | None = None
) -> RetentionView:
    upcoming = await server.retention.upcoming()
    pins = await server.read(queries.count_kept)
    return retention_view(server, upcoming, pins, values=values, refusal=refused)
