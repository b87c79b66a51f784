"""What is kept and for how long, as the API shows it."""

from typing import Annotated, Literal, Self

from msgspec import Meta, Struct

from pooldeck_server.domain.deletions import BulkDeletion, DeletionState
from pooldeck_server.domain.retention import RetentionRules
from pooldeck_server.web.api.schemas.types import Timestamp, optional_timestamp, timestamp


class DeletionInfo(Struct, frozen=True):
    """A deletion of many tasks, which goes on after the request that began it.

    `outcomes` counts what was `deleted` so far, and why others stay; `problem` says why it did not
    come to its end.
    """

    id: str
    state: DeletionState
    matched: Annotated[int, Meta(ge=0, description="Tasks that had ended when it began.")]
    outcomes: dict[str, int]
    began_at: Timestamp
    ended_at: Timestamp | None
    problem: str | None

    @classmethod
    def of(cls, deletion: BulkDeletion) -> Self:
        return cls(
            id=deletion.id,
            state=deletion.state,
            matched=deletion.matched,
            outcomes=deletion.outcomes,
            began_at=timestamp(deletion.began_at),
            ended_at=optional_timestamp(deletion.ended_at),
            problem=deletion.problem,
        )


class RetentionInfo(Struct, frozen=True):
    """The rules, whether they are followed, and the room that the database takes.

    `waits_for_a_word`: there are tasks from before there was retention, and nothing is deleted
    until somebody has said yes by `POST /api/v1/retention/allow`. `growth_per_day` is null in the
    first days, `disk_free_bytes` where the disk cannot be looked at.
    """

    rules: RetentionRules
    source: Annotated[
        Literal["settings", "set"],
        Meta(description="Where the rules are from: the settings, or set while the server ran."),
    ]
    changed_at: Timestamp | None
    waits_for_a_word: bool
    clock_ahead_seconds: Annotated[
        float | None,
        Meta(
            description="How far the clock is ahead of what was known of the time, where that is "
            "doubted: nothing is too old by that, until `POST /api/v1/retention/vouch`."
        ),
    ]
    last_look_at: Timestamp | None
    last_deleted: Annotated[int, Meta(ge=0, description="Tasks deleted by the latest look.")]
    kept: Annotated[int, Meta(ge=0, description="Tasks that somebody keeps.")]
    file_bytes: Annotated[int, Meta(ge=0, description="Of the database; it does not shrink.")]
    free_bytes: Annotated[int, Meta(ge=0, description="Of these, what is used again by new tasks.")]
    wal_bytes: Annotated[int, Meta(ge=0)]
    disk_free_bytes: int | None
    is_disk_low: bool
    growth_per_day: Annotated[float | None, Meta(description="In bytes, over the latest week.")]
