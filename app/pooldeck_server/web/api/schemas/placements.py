"""Why functions and tasks are where they are, as the API shows it."""

from functools import lru_cache
from typing import Annotated, Self

from msgspec import Meta, Struct

from pooldeck_server.domain.functions.placements import Placement, PlacementRule
from pooldeck_server.web.api.schemas.types import Timestamp, optional_timestamp, shown
from pooldeck_server.web.text.i18n import in_english
from pooldeck_server.web.text.placement import placement_words


class Placed(Struct, frozen=True):
    """Why the server chose a pool; `words` say it in a sentence.

    `since` is null for where a function starts, and `before` the pool that it was in until it was
    moved. What measurements moved has a `verdict` with its `confidence`, drawn from so many `runs`,
    and the `gain` that was expected (times as many in the same time). A move that was `undone` has
    the `error` that it was for, its `group` and the `task` that failed so. `address`, `unknown` and
    `hint` are of earlier versions.
    """

    rule: PlacementRule
    pool: str
    since: Timestamp | None
    hint: str | None
    verdict: str | None
    confidence: str | None
    runs: int | None
    gain: float | None
    before: str | None
    error: str | None
    group: str | None
    task: str | None
    words: Annotated[str, Meta(description="In English.")]

    @classmethod
    def of(cls, placement: Placement) -> Self:
        since, words = optional_timestamp(placement.since), in_english(placement_words, placement)
        return shown(cls, placement, since=since, words=words)


@lru_cache(maxsize=1024)
def placed(text: str) -> Placed:
    """Return what a task keeps of why it is in its pool; most tasks of a list keep the same."""
    return Placed.of(Placement.from_json(text))
