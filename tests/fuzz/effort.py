"""How much a trial tries: Hypothesis makes the examples, and a seed makes them the same again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


@dataclass(frozen=True)
class Effort:
    """So many examples of each kind of request, the same ones for the same seed."""

    examples: int
    seed: int = 0

    def spend(self, strategy: SearchStrategy[T], trial: Callable[[T], None]) -> None:
        """Let `trial` have so many examples of `strategy`.

        It notes what is wrong instead of raising it: a fault does not hide the next one.
        """

        @seed(self.seed)
        @settings(
            max_examples=self.examples,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def tried(example: T) -> None:
            trial(example)

        tried()
