"""What a measurement found, beside what is wanted."""

import math
import statistics
from collections.abc import Iterable, Sequence

from msgspec import Struct


class Figure(Struct, frozen=True, omit_defaults=True):
    """One number. `at_least` and `at_most` are what is wanted of it, where something is.

    `rounds` has what each round found where `value` is their median.
    """

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    rounds: tuple[float, ...] = ()

    @property
    def is_met(self) -> bool:
        """Tell whether the value is what is wanted."""
        lower = -math.inf if self.at_least is None else self.at_least
        upper = math.inf if self.at_most is None else self.at_most
        return lower <= self.value <= upper

    @property
    def wanted(self) -> str:
        """Return what is wanted, in signs; empty where nothing is."""
        bounds = [("≥", self.at_least), ("≤", self.at_most)]
        return " ".join(f"{sign} {short(bound)}" for sign, bound in bounds if bound is not None)


def of_rounds(
    name: str,
    rounds: Sequence[float],
    unit: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Figure:
    """Return the median of `rounds` as a figure."""
    return Figure(name, statistics.median(rounds), unit, at_least, at_most, tuple(rounds))


def ratios(ours: Iterable[float], theirs: Iterable[float]) -> list[float]:
    """Return the ratio of each round."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the smallest of `values` that `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as lines for people."""
    return "\n".join(_line(figure) for figure in figures)


def _line(figure: Figure) -> str:
    verdict = "" if not figure.wanted else "  met" if figure.is_met else "  MISSED"
    spread = ""
    if len(figure.rounds) > 1:
        spread = f"  ({short(min(figure.rounds))} to {short(max(figure.rounds))})"
    return (
        f"  {figure.name:<54}{short(figure.value):>9} {figure.unit:<9}"
        f"{figure.wanted:>9}{verdict:<8}{spread}"
    ).rstrip()


def short(value: float) -> str:
    """Return a number with three digits or more, as many as say something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
