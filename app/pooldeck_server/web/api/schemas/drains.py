"""A drain of the whole server as the API shows it."""

from typing import Annotated

from msgspec import Meta, Struct

from pooldeck_server.domain.drains import DrainProgress
from pooldeck_server.web.api.schemas.types import Timestamp, timestamp


class DrainInfo(Struct, frozen=True):
    """A drain of the server, and how far it is.

    `running` are tasks that workers have, `queued` those that run first, where that was asked for.
    `usual_seconds_left` is for how long what runs goes on by the usual durations of its functions;
    null where one is not known. `until` is when the time is over that the drain was given.
    """

    by: Annotated[str, Meta(description="Who ordered it.", examples=["owner"])]
    since: Timestamp
    reason: str | None
    until: Timestamp | None
    stop: bool
    finish_queue: bool
    running: Annotated[int, Meta(ge=0)]
    queued: Annotated[int, Meta(ge=0)]
    usual_seconds_left: float | None
    is_done: bool

    @classmethod
    def of(cls, progress: DrainProgress) -> "DrainInfo":
        order = progress.order
        return cls(
            by=order.by,
            since=timestamp(order.since),
            reason=order.reason,
            until=None if order.until is None else timestamp(order.until),
            stop=order.stops,
            finish_queue=order.finishes_queue,
            running=progress.running,
            queued=progress.queued,
            usual_seconds_left=progress.about,
            is_done=progress.is_done,
        )
