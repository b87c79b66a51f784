"""What outlives a run of the server beside tasks: what was set by hand, and the runs themselves.

Times are microseconds since the epoch.
"""

from typing import Literal

from msgspec import Struct

ControlState = Literal["running", "paused", "stopped"]


class PoolControl(Struct, frozen=True):
    """What was set by hand for a pool.

    `size` counts only while `configured` is the size that the configuration gives: who changes that
    has the last word.
    """

    name: str
    size: int | None  # None: as configured
    configured: int
    state: ControlState = "running"


class Hold(Struct, frozen=True):
    """A function whose tasks wait because too many workers died under it."""

    function: str
    since: int
    deaths: int
    reason: str  # in words


class StartReport(Struct, frozen=True):
    """What a start found and what it did with it."""

    was_clean: bool  # the run before this one ended in order, or there was none
    down_seconds: float | None
    queued: int = 0
    scheduled: int = 0
    rerun: int = 0
    lost: int = 0
    reaped: int = 0  # processes that the run before this one had left behind
    held: int = 0  # functions on hold


class ServerRun(Struct, frozen=True):
    """One run of the server, from its start to its end."""

    boot: str
    pid: int
    started_at: int
    ended_at: int | None = None  # None: it runs, or was cut off
    report: StartReport | None = None
