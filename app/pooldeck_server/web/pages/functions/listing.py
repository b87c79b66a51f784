"""The list of functions: what each is, and how its tasks fare."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pooldeck.loaded_code import ModuleFailure
from pooldeck_server.advice import Advice, Verdict
from pooldeck_server.domain.functions.catalogue import Catalogue, RegisteredFunction
from pooldeck_server.domain.measurements.figures import Count
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.pages.functions.data import MINUTES, FunctionsData
from pooldeck_server.web.pages.functions.order import (
    FunctionGroup,
    FunctionOrder,
    grouped,
    order_choices,
)
from pooldeck_server.web.pages.functions.row import FunctionRow, function_row
from pooldeck_server.web.pages.shared.choices import Choice
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.moves import brief
from pooldeck_server.web.pages.shared.rendering import Page


@dataclass(frozen=True)
class FunctionsView(Page):
    """The functions that fit, by their modules; of `unclear` no kind can be said yet.

    `order` is what they are sorted by, `orders` are all there are. `gone` are holds on those that
    are not registered any more, `failures` are the modules that could not be loaded, `empty` those
    that register no function.
    """

    template = "functions/page.html"
    section = "functions"
    flashes = FLASHES["functions"]

    groups: Sequence[FunctionGroup]
    unclear: int
    order: FunctionOrder
    orders: Sequence[Choice]
    has_any: bool
    is_known: bool
    wanted: str
    gone: Sequence[Hold]
    failures: Sequence[ModuleFailure]
    empty: Sequence[str]

    @property
    def functions(self) -> list[FunctionRow]:
        return [row for group in self.groups for row in group.rows]


def functions_view(
    read: FunctionsData,
    catalogue: Catalogue,
    holds: Sequence[Hold],
    advice: Iterable[Advice],
    wanted: str,
    *,
    order: FunctionOrder = FunctionOrder.NAME,
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
            row = function_row(
                each, spread, counts, minutes, hold=held.get(name), advice=advised.get(name)
            )
            rows.append(row)
    return FunctionsView(
        groups=grouped(rows, order, read.last),
        unclear=sum(row.advice is None or row.advice.code is Verdict.UNKNOWN for row in rows),
        order=order,
        orders=order_choices(order, wanted),
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
