"""Callbacks: whether ends of tasks are told, and what became of each. All of it is for admins."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from pooldeck_server.web.api.alerts import NumberPath
from pooldeck_server.web.api.queries import PageSize, asks, read_query
from pooldeck_server.web.api.schemas.callbacks import (
    CallbackDelivery,
    CallbackDone,
    CallbackList,
    CallbackSecret,
)
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, MAX_NUMBER, ServerDep
from pooldeck_server.web.http.responses import CHANGING, READING, answer, bad, good

router = APIRouter(prefix="/alerts/callbacks", tags=["alerts"])


class CallbackQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of the callbacks."""

    limit: PageSize = DEFAULT_LIMIT
    before: (
        Annotated[int, Meta(ge=1, le=MAX_NUMBER, description="`next_before` of the page before.")]
        | None
    ) = None
    task: Annotated[str, Meta(max_length=200, description="Of one task: its id.")] | None = None


@router.get(
    "",
    responses=good(CallbackList, "A page of callbacks.") | bad(*READING),
    openapi_extra=asks(CallbackQuery),
)
async def list_callbacks(server: ServerDep, request: Request) -> Response:
    """List the ends that are to be told, and the latest that were told or given up."""
    query = read_query(CallbackQuery, request)
    found = await server.callbacks.deliveries(query.limit, query.before, query.task)
    more = found[-1].id if len(found) == query.limit else None
    signing = server.callbacks.signing
    items = list(map(CallbackDelivery.of, found))
    return answer(CallbackList(signing.is_on, signing.trouble, items, more))


@router.post(
    "/rotate", responses=good(CallbackSecret, "The new secret, told once.") | bad(*CHANGING)
)
async def rotate_callback_secret(server: ServerDep) -> Response:
    """Make the secret that signs callbacks, or a new one; the first turns callbacks on.

    After a new one, both sign for a day.
    """
    secret = await server.callbacks.rotate()
    return answer(CallbackSecret(secret, server.callbacks.signing.is_on))


@router.post("/enable", responses=good(CallbackDone, "Callbacks are on.") | bad(*CHANGING, 409))
async def enable_callbacks(server: ServerDep) -> Response:
    """Turn callbacks on: submissions may carry one, and what waits is told."""
    await server.callbacks.turn(is_on=True)
    return answer(CallbackDone(is_on=True))


@router.post("/disable", responses=good(CallbackDone, "Callbacks are off.") | bad(*CHANGING, 409))
async def disable_callbacks(server: ServerDep) -> Response:
    """Turn callbacks off: submissions that carry one are refused, and what waits waits on."""
    await server.callbacks.turn(is_on=False)
    return answer(CallbackDone(is_on=False))


@router.post(
    "/{number}/retry",
    responses=good(CallbackDone, "It is told again.") | bad(*CHANGING, 404, 409),
)
async def retry_callback(server: ServerDep, number: NumberPath) -> Response:
    """Tell an end now instead of later, or once more."""
    await server.callbacks.again(number)
    return answer(CallbackDone(is_on=server.callbacks.signing.is_on, delivery=number))
