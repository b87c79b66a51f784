"""A row of the list of functions: what a function is, and how its tasks fare."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.measurements.figures import Spread
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.tasks.states import LIVE, State
from pooldeck_server.web.pages.shared.address import address
from pooldeck_server.web.pages.shared.moves import BriefAdvice

_UNSUCCESSFUL: Final = (State.FAILED, State.LOST)


@dataclass(frozen=True)
class CountLink:
    """A number, and the list of what it counts."""

    number: int
    href: str


@dataclass(frozen=True)
class FunctionRow:
    """A function in the list: what it is, its tasks in all, and those that ended lately.

    `ends` are how many ended in each of the last minutes, oldest first.
    """

    function: RegisteredFunction
    summary: str
    hold: Hold | None
    advice: BriefAdvice | None
    live: CountLink
    runs: CountLink
    failures: CountLink
    lately: CountLink
    failed_lately: CountLink
    spread: Spread | None
    ends: tuple[int, ...]

    @property
    def module(self) -> str:
        return self.function.spec.name.rpartition(".")[0]


def function_row(
    function: RegisteredFunction,
    spread: Spread | None,
    counts: Counter[State],
    minutes: Mapping[State, list[int]],
    *,
    hold: Hold | None,
    advice: BriefAdvice | None,
) -> FunctionRow:
    """Return a row of the list; `minutes` are how many ended in each of the last ones."""
    name = function.spec.name
    failed = sum(sum(minutes.get(state, ())) for state in _UNSUCCESSFUL)
    ends = tuple(map(sum, zip(*minutes.values(), strict=True)))
    return FunctionRow(
        function=function,
        summary=function.spec.doc.strip().partition("\n")[0],
        hold=hold,
        advice=advice,
        live=_link(name, sum(counts[state] for state in LIVE), LIVE),
        runs=_link(name, counts.total(), ()),
        failures=_link(name, sum(counts[state] for state in _UNSUCCESSFUL), _UNSUCCESSFUL),
        lately=_link(name, sum(ends), (), "1h"),
        failed_lately=_link(name, failed, _UNSUCCESSFUL, "1h"),
        spread=spread,
        ends=ends,
    )


def _link(name: str, number: int, states: Iterable[State], since: str = "") -> CountLink:
    chosen = [("state", str(state)) for state in State if state in set(states)]
    bound = [("since", since)] if since else []
    return CountLink(number, address("/tasks", [*chosen, ("function", name), *bound]))
