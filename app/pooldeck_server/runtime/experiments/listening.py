"""A listener to whom most of what a pool tells is nothing: a temporary pool has no page."""

from pooldeck.functions import FunctionSpec
from pooldeck.outcome import Observation, Outcome
from pooldeck.pools.model import Death, Running, Worker
from pooldeck.protocol import Call, LogLine, Progress


class Indifferent:
    """A `PoolListener` that does nothing; its heirs take what they need."""

    def started(self, worker: Worker, running: Running) -> None:
        """A worker reported that it started a call."""

    def progressed(self, progress: Progress) -> None:
        """A running call says how far it is."""

    def logged(self, task: str, lines: list[LogLine]) -> None:
        """A running call wrote to its log."""

    def finished(self, worker: Worker, running: Running, outcome: Outcome) -> None:
        """A call ended."""

    def observed(self, observations: list[Observation]) -> None:
        """A worker says what its probe has seen."""

    def returned(self, calls: list[Call]) -> None:
        """Calls come back that no worker has started."""

    def abandoned_ended(self, worker: Worker, running: Running, outcome: Outcome) -> None:
        """The thread of an abandoned call came to its end."""

    def died(self, death: Death) -> None:
        """A worker died."""

    def recovered(self, worker: str, seconds: float) -> None:
        """The pool has all its slots again."""

    def described(self, functions: list[FunctionSpec]) -> None:
        """A worker says which functions it has."""

    def has_room(self) -> None:
        """A slot may be free."""

    def changed(self) -> None:
        """The pool's health changed."""
