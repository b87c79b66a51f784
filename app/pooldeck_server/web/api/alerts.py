"""Alerts: rules, destinations and deliveries. All of it is for admins."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Path, Request, Response
from msgspec import UNSET, Meta, Struct

from pooldeck_server.domain.alerts.rules import RULES, AlertRule
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.settings import LimitSettings
from pooldeck_server.web.api.bodies import read
from pooldeck_server.web.api.queries import PageSize, asks, read_query
from pooldeck_server.web.api.reading import body_of
from pooldeck_server.web.api.schemas.alerts import (
    AlertDelivery,
    AlertDeliveryList,
    AlertDestination,
    AlertDestinationChange,
    AlertDestinationList,
    AlertDone,
    AlertInfo,
    AlertList,
    AlertRuleChange,
    AlertRuleInfo,
    AlertSecret,
    NewAlertDestination,
)
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, MAX_NUMBER, NamePath, ServerDep
from pooldeck_server.web.http.responses import CHANGING, READING, WRITING, answer, bad, good, takes

router = APIRouter(prefix="/alerts", tags=["alerts"])

NumberPath: TypeAlias = Annotated[int, Path(ge=1, le=MAX_NUMBER, description="Its `id`.")]


class DeliveryQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of the deliveries."""

    limit: PageSize = DEFAULT_LIMIT
    before: (
        Annotated[int, Meta(ge=1, le=MAX_NUMBER, description="`next_before` of the page before.")]
        | None
    ) = None


@router.get("", responses=good(AlertList, "Rules and alerts.") | bad(*READING))
async def show_alerts(server: ServerDep) -> Response:
    """List the rules, and what they speak of at present."""
    rules = list(map(AlertRuleInfo.of, server.alerts.rules.all()))
    standing = await server.alerts.standing()
    return answer(AlertList(rules, list(map(AlertInfo.of, standing))))


@router.patch(
    "/rules/{name}",
    responses=good(AlertRuleInfo, "The rule, as it is now.") | bad(*WRITING, 404),
    openapi_extra=takes(AlertRuleChange, {"threshold": 900, "quiet_seconds": 3600}),
)
async def change_alert_rule(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Turn a rule on or off, or set its threshold or its quiet time."""
    change = await body_of(request, _read_rule, server.settings.limits)
    if name not in set(AlertRule):
        raise NotFound(f"there is no rule {name}; there are: {', '.join(RULES)}")
    rules, rule = server.alerts.rules, AlertRule(name)
    before = rules.get(rule)
    changed = await rules.change(
        rule,
        is_on=before.is_on if change.is_on is UNSET else change.is_on,
        threshold=before.threshold if change.threshold is UNSET else change.threshold,
        quiet_seconds=(
            before.quiet_seconds if change.quiet_seconds is UNSET else change.quiet_seconds
        ),
    )
    return answer(AlertRuleInfo.of(changed))


@router.get("/destinations", responses=good(AlertDestinationList, "All.") | bad(*READING))
async def list_alert_destinations(server: ServerDep) -> Response:
    """List who is told."""
    found = await server.alerts.destinations()
    return answer(AlertDestinationList(list(map(AlertDestination.of, found))))


@router.post(
    "/destinations",
    responses=good(AlertSecret, "The destination, and once its secret.", 201) | bad(*WRITING, 409),
    status_code=201,
    openapi_extra=takes(
        NewAlertDestination, {"name": "on call", "url": "https://example.com/hooks/pooldeck"}
    ),
)
async def add_alert_destination(request: Request, server: ServerDep) -> Response:
    """Add a destination. The secret that signs what it gets is in this answer and nowhere else."""
    new = await body_of(request, _read_destination, server.settings.limits)
    added, secret = await server.alerts.add(new.name, new.kind, new.url, new.rules)
    return answer(AlertSecret(AlertDestination.of(added), secret), 201)


@router.patch(
    "/destinations/{number}",
    responses=good(AlertDestination, "The destination, as it is now.") | bad(*WRITING, 404),
    openapi_extra=takes(AlertDestinationChange, {"rules": ["worker_died", "low_disk"]}),
)
async def change_alert_destination(
    request: Request, server: ServerDep, number: NumberPath
) -> Response:
    """Choose the rules that a destination is told of."""
    change = await body_of(request, _read_change, server.settings.limits)
    await server.alerts.choose(number, change.rules)
    return answer(AlertDestination.of(await server.alerts.destination(number)))


@router.delete(
    "/destinations/{number}",
    responses=good(AlertDone, "It is gone, with its deliveries.") | bad(*CHANGING, 404),
)
async def delete_alert_destination(server: ServerDep, number: NumberPath) -> Response:
    """Delete a destination, and what waits for it."""
    await server.alerts.remove(number)
    return answer(AlertDone(destination=number))


@router.post(
    "/destinations/{number}/enable",
    responses=good(AlertDestination, "The destination, on.") | bad(*CHANGING, 404),
)
async def enable_alert_destination(server: ServerDep, number: NumberPath) -> Response:
    """Turn a destination on: what waits for it is sent."""
    await server.alerts.turn(number, is_on=True)
    return answer(AlertDestination.of(await server.alerts.destination(number)))


@router.post(
    "/destinations/{number}/disable",
    responses=good(AlertDestination, "The destination, off.") | bad(*CHANGING, 404),
)
async def disable_alert_destination(server: ServerDep, number: NumberPath) -> Response:
    """Turn a destination off: it gets nothing, and no new messages wait for it."""
    await server.alerts.turn(number, is_on=False)
    return answer(AlertDestination.of(await server.alerts.destination(number)))


@router.post(
    "/destinations/{number}/rotate",
    responses=good(AlertSecret, "The destination, and once its new secret.")
    | bad(*CHANGING, 404, 409),
)
async def rotate_alert_secret(server: ServerDep, number: NumberPath) -> Response:
    """Make a new secret; for a day the one before signs too."""
    secret = await server.alerts.rotate(number)
    destination = await server.alerts.destination(number)
    return answer(AlertSecret(AlertDestination.of(destination), secret))


@router.post(
    "/destinations/{number}/test",
    responses=good(AlertDone, "The delivery of the test.") | bad(*CHANGING, 404, 409),
)
async def test_alert_destination(server: ServerDep, number: NumberPath) -> Response:
    """Send a message that tells nothing but that alerts arrive."""
    return answer(AlertDone(destination=number, delivery=await server.alerts.test(number)))


@router.get(
    "/deliveries",
    responses=good(AlertDeliveryList, "A page of deliveries.") | bad(*READING),
    openapi_extra=asks(DeliveryQuery),
)
async def list_alert_deliveries(server: ServerDep, request: Request) -> Response:
    """List messages on their way, and the latest that have ended."""
    query = read_query(DeliveryQuery, request)
    found = await server.alerts.deliveries(query.limit, query.before)
    more = found[-1].id if len(found) == query.limit else None
    return answer(AlertDeliveryList(list(map(AlertDelivery.of, found)), more))


@router.post(
    "/deliveries/{number}/retry",
    responses=good(AlertDone, "It is tried again.") | bad(*CHANGING, 404, 409),
)
async def retry_alert_delivery(server: ServerDep, number: NumberPath) -> Response:
    """Try a delivery now instead of later, or send one again that has ended."""
    await server.alerts.again(number)
    return answer(AlertDone(delivery=number))


def _read_rule(body: bytes, limits: LimitSettings) -> AlertRuleChange:
    return read(AlertRuleChange, body, limits)


def _read_destination(body: bytes, limits: LimitSettings) -> NewAlertDestination:
    return read(NewAlertDestination, body, limits)


def _read_change(body: bytes, limits: LimitSettings) -> AlertDestinationChange:
    return read(AlertDestinationChange, body, limits)
