"""Shared state as the API shows it."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from pooldeck.access import SharedLimits
from pooldeck.shared.snapshot import Held, SharedEntry, SharedSnapshot
from pooldeck_server.web.api.schemas.types import (
    Seconds,
    Timestamp,
    optional_timestamp,
    shown,
    timestamp,
)


class SharedHolder(Struct, frozen=True):
    """A thread that holds a lock or waits for it; `task` is null outside of one."""

    worker: str
    pid: int
    thread: str
    task: str | None
    function: str | None
    since: Timestamp

    @classmethod
    def of(cls, held: Held) -> Self:
        who, since = held.holder, timestamp(held.since)
        outside = {} if who.function else {"task": None, "function": None}
        return shown(cls, who, since=since, **outside)


class SharedItem(Struct, frozen=True):
    """One name. What does not belong to its kind is null.

    `size` counts keys, items or permits in use, `value` is a counter's. `ahead` says in how many
    seconds a rate limiter has its next free turn.
    """

    kind: Annotated[
        str,
        Meta(
            extra_json_schema={
                "enum": ["counter", "dict", "list", "lock", "semaphore", "rate_limiter"]
            }
        ),
    ]
    name: str
    size: int
    bytes: int
    value: int | None
    permits: int | None
    holders: list[SharedHolder]
    waiters: list[SharedHolder]
    per_second: float | None
    burst: int | None
    ahead: Seconds | None

    @classmethod
    def of(cls, thing: SharedEntry) -> Self:
        holders = [SharedHolder.of(each) for each in thing.holders]
        return shown(
            cls, thing, holders=holders, waiters=[SharedHolder.of(each) for each in thing.waiters]
        )


class SharedLimitsShown(Struct, frozen=True):
    """The settings of `[shared]`."""

    names: int
    value_bytes: int
    total_bytes: int


class SharedState(Struct, frozen=True):
    """All that tasks share by `pooldeck.shared`.

    It lives as long as the process that keeps it: since `since`, at most as long as this run of the
    server. `lost_at` says when such a process last died. While none answers, `is_available` is
    false and nothing is listed. It is started for the first task that shares something: until then
    `pid` is null.
    """

    is_available: bool
    pid: int | None
    since: Timestamp | None
    lost_at: Timestamp | None
    bytes: int
    limits: SharedLimitsShown
    items: list[SharedItem]

    @classmethod
    def of(cls, picture: SharedSnapshot | None, limits: SharedLimits, lost_at: int | None) -> Self:
        return cls(
            is_available=picture is not None,
            pid=picture.pid if picture else None,
            since=timestamp(picture.since) if picture else None,
            lost_at=optional_timestamp(lost_at),
            bytes=picture.bytes if picture else 0,
            limits=shown(SharedLimitsShown, limits),
            items=[SharedItem.of(thing) for thing in picture.entries] if picture else [],
        )
