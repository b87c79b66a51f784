"""Why a task waits, as the API shows it."""

from collections.abc import Callable, Mapping
from typing import Annotated, Final, Self
from urllib.parse import quote

from msgspec import Meta, Struct

from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.waiting import Help, TaskWait, WaitReason
from pooldeck_server.web.api.schemas.types import (
    Seconds,
    TaskId,
    Timestamp,
    optional_timestamp,
)
from pooldeck_server.web.text.i18n import in_english
from pooldeck_server.web.text.waiting import whole_words

_CALLS: Final[Mapping[Help, Callable[[TaskWait], str]]] = {
    Help.RESUME_POOL: lambda found: f"PATCH /api/v1/pools/{quote(found.pool)}",
    Help.RELEASE_FUNCTION: lambda found: f"POST /api/v1/functions/{quote(found.function)}/release",
    Help.RESUME_SERVER: lambda _found: "POST /api/v1/server/resume",
    Help.RESTART_POOL: lambda found: f"POST /api/v1/pools/{quote(found.pool)}/restart",
    Help.SETTLE_RESTORED: lambda _found: "POST /api/v1/restored",
    Help.SEE_UNSCHEDULABLE: lambda found: f"GET /api/v1/pools/{quote(found.pool)}",
    Help.SEE_RUNNING: lambda found: f"GET /api/v1/tasks?state=running&pool={quote(found.pool)}",
    Help.RUN_NOW: lambda found: f"PATCH /api/v1/tasks/{found.task}",
    Help.SEE_TASKS: lambda found: f"GET /api/v1/tasks/{found.tasks[0].id}",
}


class NeededTask(Struct, frozen=True):
    """A task that another one comes after, and that has not ended."""

    id: TaskId
    function: str
    state: State


class WaitHelp(Struct, frozen=True):
    """What somebody can do, and the call of the API that does it or shows more."""

    what: Help
    call: str


class WaitingTask(Struct, frozen=True):
    """Why a task waits at this moment."""

    reason: WaitReason
    words: Annotated[str, Meta(description="All of it in a few sentences.")]
    position: Annotated[
        int | None,
        Meta(
            description="Its place in the queue of its pool, from 1; null in lists, and where a "
            "place would mean nothing. Tasks of functions on hold do not count."
        ),
    ]
    is_further_back: Annotated[
        bool, Meta(description="Whether its place is beyond `position`: no more are counted.")
    ]
    seconds: Annotated[
        Seconds | None,
        Meta(description="About how long until it starts; null where that cannot be said."),
    ]
    since: Timestamp | None
    until: Timestamp | None
    after: Annotated[
        tuple[NeededTask, ...],
        Meta(description="The first of the tasks that it comes after and that have not ended."),
    ]
    help: WaitHelp | None

    @classmethod
    def of(cls, found: TaskWait) -> Self:
        place = found.place
        return cls(
            reason=found.reason,
            words=in_english(whole_words, found),
            position=None if place is None else place.ahead + 1,
            is_further_back=place is not None and not place.is_exact,
            seconds=found.seconds,
            since=optional_timestamp(found.since),
            until=optional_timestamp(found.until),
            after=tuple(NeededTask(each.id, each.function, each.state) for each in found.tasks),
            help=WaitHelp(found.help, _CALLS[found.help](found)) if found.help else None,
        )
