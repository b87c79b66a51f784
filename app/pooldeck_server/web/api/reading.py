"""Bodies of calls on their way in: how large each may be, and where it is decoded."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from starlette.requests import Request

from pooldeck_server.runtime.recording.watches import MOST_WATCHED
from pooldeck_server.settings import LimitSettings
from pooldeck_server.web.http.request_body import json_body, optional_json_body

T = TypeVar("T")

_SMALL: Final = 64 * 1024  # bytes of a body that says what to do, and of what is around arguments
_ID: Final = 64  # bytes of one of many ids
_LARGE: Final = 256 * 1024  # bytes; decoding more would hold up the event loop noticeably


def bytes_of_change(limits: LimitSettings) -> int:
    """Return how large a body may be that says what to do with something."""
    return min(limits.body_bytes, _SMALL)


def bytes_of_selection(limits: LimitSettings) -> int:
    """Return how large a body may be that names tasks."""
    return min(limits.body_bytes, _SMALL + _ID * limits.batch_tasks)


def bytes_of_task(limits: LimitSettings) -> int:
    """Return how large a body may be that submits one task."""
    return min(limits.body_bytes, _SMALL + limits.arguments_bytes)


def bytes_of_many(limits: LimitSettings) -> int:
    """Return how large a body may be that has several tasks."""
    return limits.body_bytes


def bytes_of_watch(limits: LimitSettings) -> int:
    """Return how large a body may be that names tasks to be watched."""
    return min(limits.body_bytes, _SMALL + _ID * MOST_WATCHED)


async def body_of(
    request: Request,
    reader: Callable[[bytes, LimitSettings], T],
    limits: LimitSettings,
    size: Callable[[LimitSettings], int] = bytes_of_change,
    *,
    is_optional: bool = False,
) -> T:
    """Return what `reader` makes of a request's body.

    Raises:
        UnsupportedMediaType: If the body is no plain JSON.
        TooLarge: If it is larger than `size` says.
        PooldeckError: What `reader` raises.
    """
    body = await (optional_json_body if is_optional else json_body)(request, size(limits))
    return await decoded(reader, body, limits)


async def decoded(
    reader: Callable[[bytes, LimitSettings], T], body: bytes, limits: LimitSettings
) -> T:
    """Return what `reader` makes of a body, off the event loop if that takes long; raises as it."""
    if len(body) > _LARGE:
        return await asyncio.to_thread(reader, body, limits)
    return reader(body, limits)
