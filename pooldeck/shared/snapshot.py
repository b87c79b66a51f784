"""Snapshots of shared state: what each name holds, who has a lock and who waits for it."""

from msgspec import Struct


class Holder(Struct, frozen=True, array_like=True):
    """A thread that has a permit or waits for one; outside of a task, `function` is empty."""

    worker: str
    pid: int
    thread: str
    task: str
    function: str


class Held(Struct, frozen=True, array_like=True):
    """A holder or a waiter, with the time since it is one (microseconds since the epoch)."""

    holder: Holder
    since: int


class SharedEntry(Struct, frozen=True):
    """One name of shared state.

    `size` counts what is in it: keys, items, permits in use. `value` is a counter's. `permits`,
    `holders` and `waiters` are those of locks and semaphores; `per_second`, `burst` and `ahead`
    (seconds until the next turn) those of rate limiters.
    """

    kind: str
    name: str
    size: int = 0
    bytes: int = 0
    value: int | None = None
    permits: int | None = None
    holders: tuple[Held, ...] = ()
    waiters: tuple[Held, ...] = ()
    per_second: float | None = None
    burst: int | None = None
    ahead: float | None = None


class SharedSnapshot(Struct, frozen=True):
    """All of shared state; `since` (microseconds since the epoch) is when it began, empty.

    `pid` is that of the process which keeps it; None while nothing is shared yet, and none is
    needed.
    """

    pid: int | None
    since: int
    bytes: int
    entries: tuple[SharedEntry, ...] = ()
