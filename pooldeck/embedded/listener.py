"""What a pool says that only a server wants to hear."""

from pooldeck.functions import FunctionSpec
from pooldeck.outcome import Observation, Outcome
from pooldeck.pools.model import Death, PoolListener, Running, Worker
from pooldeck.protocol import LogLine, Progress


class FuturesListener(PoolListener):
    """Listens to what futures tell: ends. The rest is not heard."""

    def started(self, worker: Worker, running: Running) -> None:
        """The future of a call runs from its hand-over."""

    def progressed(self, progress: Progress) -> None:
        """Calls of programs report no progress."""

    def logged(self, task: str, lines: list[LogLine]) -> None:
        """What calls print goes where the program prints."""

    def observed(self, observations: list[Observation]) -> None:
        """What their nature is matters to a server that gives advice."""

    def abandoned_ended(self, worker: Worker, running: Running, outcome: Outcome) -> None:
        """Processes are killed, not abandoned."""

    def died(self, death: Death) -> None:
        """The future of the call has been told."""

    def recovered(self, worker: str, seconds: float) -> None:
        """The next calls run."""

    def described(self, functions: list[FunctionSpec]) -> None:
        """Functions come with their calls."""
