"""The list of functions: what each is, and how its tasks fare."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pooldeck.loaded_code import ModuleFailure
from pooldeck_server.advice import Advice
from pooldeck_server.domain.functions.catalogue import Catalogue, RegisteredFunction
from pooldeck_server.domain.measurements.figures import Count, Spread
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.tasks.states import LIVE, State
from pooldeck_server.web.pages.functions.data import MINUTES, FunctionsData
from pooldeck_server.web.pages.shared.address import address
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.moves import BriefAdvice, brief
from pooldeck_server.web.pages.shared.rendering import Page

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


@dataclass(frozen=True)
class FunctionsView(Page):
    """The functions that fit; `gone` are holds on those that are not registered any more.

    `failures` are the modules that could not be loaded, `empty` those that register no function.
    """

    template = "functions/page.html"
    section = "functions"
    flashes = FLASHES["functions"]

    functions: Sequence[FunctionRow]
    has_any: bool
    is_known: bool
    wanted: str
    gone: Sequence[Hold]
    failures: Sequence[ModuleFailure]
    empty: Sequence[str]


def functions_view(
    read: FunctionsData,
    catalogue: Catalogue,
    holds: Sequence[Hold],
    advice: Iterable[Advice],
    wanted: str,
) -> FunctionsView:
    functions = catalogue.functions()
    registered = {each.spec.name for each in functions}
    held = {hold.function: hold for hold in holds}
    advised = {each.function: brief(each) for each in advice}
    kept, ended = _kept(read.counts), _ended(read)
    rows = []
    for each in functions:
        if _fits(each, wanted.strip().casefold()):
            name = each.spec.name
            spread, counts, minutes = read.spreads.get(name), kept[name], ended[name]
            row = _row(each, spread, counts, minutes, hold=held.get(name), advice=advised.get(name))
            rows.append(row)
    return FunctionsView(
        functions=rows,
        has_any=bool(functions),
        is_known=catalogue.is_known,
        wanted=wanted,
        gone=[hold for hold in holds if hold.function not in registered],
        failures=list(catalogue.failures.values()),
        empty=catalogue.empty_modules,
    )


def _fits(function: RegisteredFunction, text: str) -> bool:
    return text in f"{function.spec.name}\n{function.spec.doc}".casefold()


def _kept(counts: Iterable[Count]) -> Mapping[str, Counter[State]]:
    kept: defaultdict[str, Counter[State]] = defaultdict(Counter)
    for count in counts:
        kept[count.function][count.state] += count.n
    return kept


def _ended(read: FunctionsData) -> Mapping[str, Mapping[State, list[int]]]:
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
    spread: Spread | None,
    counts: Counter[State],
    minutes: Mapping[State, list[int]],
    *,
    hold: Hold | None,
    advice: BriefAdvice | None,
) -> FunctionRow:
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
