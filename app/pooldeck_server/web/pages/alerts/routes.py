"""The page of alerts, and what is set on it. All of it is for admins."""

import math
from dataclasses import replace
from typing import Final

from fastapi import Request, Response
from starlette.datastructures import QueryParams

from pooldeck_server.domain.alerts.deliveries import DestinationKind
from pooldeck_server.domain.alerts.rules import RULES, AlertRule
from pooldeck_server.domain.errors import Conflict, InvalidRequest, NotFound
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.http.dependencies import MAX_NUMBER, ServerDep
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.pages.alerts.view import (
    AlertRow,
    AlertsView,
    CallbackRow,
    DeliveryRow,
    DestinationForm,
    DestinationRow,
    NewSecret,
    RuleRow,
    typed_rule,
)
from pooldeck_server.web.pages.shared.posting import done, posted
from pooldeck_server.web.pages.shared.refusal import FormField, FormRefusal, refusal
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.text.alerts import rule_title
from pooldeck_server.web.text.i18n import _

router = page_router()

_PAGE: Final = 50  # deliveries
_CALLBACKS: Final = 20  # the latest; the API pages through the rest


@router.get("/alerts")
async def alerts(request: Request, server: ServerDep, before: str = "") -> Response:
    return render(request, await _view(server, before=_number(before) if before else None))


@router.post("/alerts/rules/{name}")
async def change_rule(request: Request, server: ServerDep, name: str) -> Response:
    form = await posted(request)
    if name not in set(AlertRule):
        raise NotFound(f"there is no rule {name}")
    rule = AlertRule(name)
    has_threshold = RULES[rule].threshold is not None
    try:
        quiet = _float(form, "quiet")
        await server.alerts.rules.change(
            rule,
            is_on="is_on" in form,
            threshold=_float(form, "threshold") if has_threshold else None,
            quiet_seconds=None if quiet is None else quiet * 60,
        )
    except InvalidRequest as error:
        view = await _view(server, refused=refusal(error, _controls_of(rule)))
        rules = [typed_rule(row, form) if row.name == rule else row for row in view.rules]
        return render(request, replace(view, rules=rules), STATUS[InvalidRequest])
    return done("/alerts", "rule_changed", "rules")


@router.post("/alerts/destinations")
async def add_destination(request: Request, server: ServerDep) -> Response:
    """Add one; the page that answers is the only one that shows its secret."""
    form = await posted(request)
    typed = DestinationForm(form.get("name", ""), form.get("url", "").strip(), form.get("kind", ""))
    if typed.kind not in set(DestinationKind):
        raise InvalidRequest("kind: expected webhook or apprise")
    try:
        added, secret = await server.alerts.add(typed.name, DestinationKind(typed.kind), typed.url)
    except (InvalidRequest, Conflict) as error:
        view = await _view(server, form=typed, refused=refusal(error, _controls()))
        return render(request, view, STATUS[InvalidRequest])
    if secret is None:
        return done("/alerts", "added", "destinations")
    return await _with_secret(request, server, NewSecret(added.name, secret))


@router.post("/alerts/destinations/{number}/{change}")
async def change_destination(
    request: Request, server: ServerDep, number: str, change: str
) -> Response:
    form = await posted(request)
    its = _number(number)
    match change:
        case "rules":
            await server.alerts.choose(its, _chosen(form))
        case "enable" | "disable":
            await server.alerts.turn(its, is_on=change == "enable")
        case "delete":
            await server.alerts.remove(its)
        case "test":
            await server.alerts.test(its)
        case "rotate":
            secret = await server.alerts.rotate(its)
            name = (await server.alerts.destination(its)).name
            return await _with_secret(request, server, NewSecret(name, secret))
        case _:
            raise NotFound(f"a destination knows no {change}")
    return done("/alerts", change, "destinations")


@router.post("/alerts/deliveries/{number}/retry")
async def retry_delivery(request: Request, server: ServerDep, number: str) -> Response:
    await posted(request)
    await server.alerts.again(_number(number))
    return done("/alerts", "again", "deliveries")


@router.post("/alerts/callbacks/{number}/retry")
async def retry_callback(request: Request, server: ServerDep, number: str) -> Response:
    await posted(request)
    await server.callbacks.again(_number(number))
    return done("/alerts", "again", "callbacks")


@router.post("/alerts/callbacks/{change}")
async def change_callbacks(request: Request, server: ServerDep, change: str) -> Response:
    await posted(request)
    match change:
        case "enable" | "disable":
            await server.callbacks.turn(is_on=change == "enable")
        case "rotate":
            secret = await server.callbacks.rotate()
            return await _with_secret(request, server, NewSecret(_("callbacks"), secret))
        case _:
            raise NotFound(f"callbacks know no {change}")
    return done("/alerts", f"callbacks_{change}", "callbacks")


async def _with_secret(request: Request, server: Server, secret: NewSecret) -> Response:
    return render(request, await _view(server, secret=secret))


async def _view(
    server: Server,
    *,
    before: int | None = None,
    secret: NewSecret | None = None,
    form: DestinationForm | None = None,
    refused: FormRefusal | None = None,
) -> AlertsView:
    deliveries = await server.alerts.deliveries(_PAGE, before)
    destinations = await server.alerts.destinations()
    on = {each.id for each in destinations if each.is_on}
    return AlertsView(
        rules=list(map(RuleRow.of, server.alerts.rules.all())),
        alerts=list(map(AlertRow.of, await server.alerts.standing())),
        destinations=list(map(DestinationRow.of, destinations)),
        deliveries=[DeliveryRow.of(each, is_on=each.destination in on) for each in deliveries],
        callbacks=list(map(CallbackRow.of, await server.callbacks.deliveries(_CALLBACKS))),
        signing=server.callbacks.signing,
        quiet=f"{server.settings.alerts.quiet_seconds / 60:g}",
        older=deliveries[-1].id if len(deliveries) == _PAGE else None,
        is_first=before is None,
        secret=secret,
        form=form or DestinationForm(),
        refusal=refused,
    )


def _controls() -> dict[str, FormField]:
    """Return the fields of a destination by the names that complaints begin with."""
    return {"name": FormField("name", _("Name")), "url": FormField("url", _("Address"))}


def _controls_of(rule: AlertRule) -> dict[str, FormField]:
    """Return the fields of a rule by the names that complaints begin with."""
    title = rule_title(rule)
    quiet = FormField(f"quiet-{rule}", f"{title}, {_('Quiet')}")
    limit = FormField(f"threshold-{rule}", f"{title}, {_('Limit')}")
    return {"threshold": limit, "quiet": quiet, "quiet_seconds": quiet}


def _chosen(form: QueryParams) -> list[AlertRule] | None:
    """Return the rules that are ticked; None where all are, so that later ones count too."""
    known = set(AlertRule)
    chosen = [AlertRule(name) for name in form.getlist("rule") if name in known]
    return None if set(chosen) == known else chosen


def _number(text: str) -> int:
    if text.isdecimal() and text.isascii() and 0 < int(text[:20]) <= MAX_NUMBER:
        return int(text)
    raise NotFound(f"there is no number {text[:40]}")


def _float(form: QueryParams, name: str) -> float | None:
    """Return the number in a field, None where it is empty.

    Raises:
        InvalidRequest: If it is none.
    """
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidRequest(f"{name}: expected a number")
    return number
