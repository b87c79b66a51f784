"""What a pool tells: who listens to it, and the values that it tells of."""

from msgspec import Struct

from pooldeck.kinds import Ending
from pooldeck.loaded_code import LoadedCode
from pooldeck.outcome import Observation, Outcome
from pooldeck.protocol import Call, LogLine, Progress


class RunningCall(Struct, frozen=True):
    """A call in a worker's hands at one moment. Times are seconds of the monotonic clock."""

    call: Call
    worker: str
    pid: int
    posted_at: float
    started_at: float | None  # None: its worker has not reported the start
    thread: int | None  # its number, where threads are numbered
    is_asked: bool  # to end itself
    is_abandoned: bool  # its thread is left to itself
    ending: Ending | None = None  # if it were killed; in snapshots, of calls that can be


class Death(Struct, frozen=True):
    """A worker's unexpected end. `detected_at` is a moment of the monotonic clock.

    `culprit` is named where it can be known; where not, `suspects` are those that ran, and those
    that had ended and left something running. `bystanders` are those that were cut off without
    being accused. `peak_rss_bytes` is None where only what the worker inherited is known.
    """

    worker: str
    pid: int
    detected_at: float
    cause: str
    signal: int | None
    exit_code: int | None
    culprit: Call | None
    suspects: tuple[Call, ...]
    bystanders: tuple[Call, ...]
    traceback: str | None
    peak_rss_bytes: int | None


class PoolListener:
    """Who is told what happens in a pool; by default nothing is done about it.

    Called on the event loop; must not block. Heirs override what they want to hear.
    """

    def started(self, run: RunningCall) -> None:
        """A worker reported that it started a call."""

    def progressed(self, progress: Progress) -> None:
        """A running call says how far it is."""

    def logged(self, task: str, lines: list[LogLine]) -> None:
        """A call wrote to its log: one that runs, or as the last one that is abandoned."""

    def worker_said(self, worker: str, lines: list[LogLine]) -> None:
        """A worker wrote to its own log: what cannot be any single call's."""

    def finished(self, run: RunningCall, outcome: Outcome) -> None:
        """A call ended, or its worker died under it; its slot is free or being replaced."""

    def observed(self, observations: list[Observation]) -> None:
        """A worker says what its probe has seen of running calls."""

    def returned(self, calls: list[Call]) -> None:
        """Calls come back that no worker has started, and none of those that had them will."""

    def abandoned_ended(self, run: RunningCall, outcome: Outcome) -> None:
        """The thread of an abandoned call, reported as finished long ago, came to its end."""

    def died(self, death: Death) -> None:
        """A worker died and nobody here had ended it; its calls have been reported as finished."""

    def recovered(self, worker: str, seconds: float) -> None:
        """The pool has all its slots again, so long after that worker's death was noticed."""

    def described(self, worker: str, code: LoadedCode) -> None:
        """A worker has loaded its code; it may still be refused, if too much is missing."""

    def has_room(self) -> None:
        """A slot may be free."""

    def changed(self) -> None:
        """The pool's health changed."""
