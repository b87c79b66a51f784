"""The list of functions: what each is, and how its tasks fare."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from pooldeck_server.advice import Advice
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.measurements.figures import Activity, Count, Spread
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.tasks.states import LIVE, State
from pooldeck_server.web.pages.deck.view import spark
from pooldeck_server.web.pages.functions.moves import BriefAdvice, brief
from pooldeck_server.web.pages.tasks.address import address
from pooldeck_server.web.text.i18n import later

MINUTES: Final = 60
"""How far back the figures of the list go."""

FLASHES: Final = {
    "released": later("It was released: its tasks run again, and new ones are taken.")
}
"""What the list says of what was just done."""

_UNSUCCESSFUL: Final = (State.FAILED, State.LOST)


class FunctionsData(Struct, frozen=True):
    """What was read for the list.

    `counts` are of all tasks that are kept, `activity` and `spreads` of those that ended in the
    last `MINUTES`, of which `minute` (since the epoch) is the latest. `advice` is that on each
    function by its name, where there is any.
    """

    functions: Sequence[RegisteredFunction]
    counts: Sequence[Count]
    activity: Sequence[Activity]
    spreads: Mapping[str, Spread]
    holds: Sequence[Hold]
    minute: int
    is_known: bool
    advice: Mapping[str, Advice]


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


def functions_context(read: FunctionsData, wanted: str) -> dict[str, Any]:
    """Return what the list of functions shows.

    Args:
        read: What was read.
        wanted: Only functions with this text in their names or descriptions; empty for all.
    """
    shown = [each for each in read.functions if _fits(each, wanted.strip().casefold())]
    registered = {each.spec.name for each in read.functions}
    kept = _kept(read.counts)
    ended = _ended(read)
    return {
        "functions": [_row(each, read, kept, ended) for each in shown],
        "has_any": bool(read.functions),
        "is_known": read.is_known,
        "wanted": wanted,
        "spark": spark,
        "gone": tuple(hold for hold in read.holds if hold.function not in registered),
    }


def _fits(function: RegisteredFunction, text: str) -> bool:
    return text in f"{function.spec.name}\n{function.spec.doc}".casefold()


def _kept(counts: Iterable[Count]) -> Mapping[str, Counter[State]]:
    kept: defaultdict[str, Counter[State]] = defaultdict(Counter)
    for count in counts:
        kept[count.function][count.state] += count.n
    return kept


def _ended(read: FunctionsData) -> Mapping[str, Mapping[State, list[int]]]:
    """Return how many tasks of each function came to each end in each minute."""
    ended: defaultdict[str, defaultdict[State, list[int]]] = defaultdict(
        lambda: defaultdict(lambda: [0] * MINUTES)
    )
    first = read.minute - MINUTES + 1
    for each in read.activity:
        if first <= each.minute <= read.minute:
            ended[each.function][each.state][each.minute - first] += each.n
    return ended


def _row(
    function: RegisteredFunction,
    read: FunctionsData,
    kept: Mapping[str, Counter[State]],
    ended: Mapping[str, Mapping[State, list[int]]],
) -> FunctionRow:
    name = function.spec.name
    advice = read.advice.get(name)
    counts, minutes = kept.get(name, Counter()), ended.get(name, {})
    failed = sum(sum(minutes.get(state, ())) for state in _UNSUCCESSFUL)
    ends = tuple(map(sum, zip(*minutes.values(), strict=True)))
    return FunctionRow(
        function=function,
        summary=function.spec.doc.strip().partition("\n")[0],
        hold=next((hold for hold in read.holds if hold.function == name), None),
        advice=brief(advice) if advice else None,
        live=_link(name, sum(counts[state] for state in LIVE), LIVE),
        runs=_link(name, counts.total(), ()),
        failures=_link(name, sum(counts[state] for state in _UNSUCCESSFUL), _UNSUCCESSFUL),
        lately=_link(name, sum(ends), (), "1h"),
        failed_lately=_link(name, failed, _UNSUCCESSFUL, "1h"),
        spread=read.spreads.get(name),
        ends=ends,
    )


def _link(name: str, number: int, states: Iterable[State], since: str = "") -> CountLink:
    chosen = [("state", str(state)) for state in State if state in set(states)]
    bound = [("since", since)] if since else []
    return CountLink(number, address("/tasks", [*chosen, ("function", name), *bound]))
