"""The orders of the list of functions, and its groups: functions of one module stand together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from pooldeck_server.web.pages.functions.row import FunctionRow
from pooldeck_server.web.pages.shared.address import address
from pooldeck_server.web.pages.shared.choices import Choice
from pooldeck_server.web.text.i18n import _, later


class FunctionOrder(StrEnum):
    """What a list of functions is sorted by, as its address says."""

    NAME = "name"
    FAILURES = "failures"
    RUN = "run"
    LAST = "last"


_WORDS: Final[Mapping[FunctionOrder, str]] = {
    FunctionOrder.NAME: later("Name"),
    FunctionOrder.FAILURES: later("Failures"),
    FunctionOrder.RUN: later("Run time"),
    FunctionOrder.LAST: later("Last run"),
}
_Key: TypeAlias = tuple[float, float, str]


@dataclass(frozen=True)
class FunctionGroup:
    """The functions of one module."""

    module: str
    rows: Sequence[FunctionRow]


def read_order(text: str | None) -> FunctionOrder:
    """Return the order that an address asks for; what is none becomes the usual."""
    return next((each for each in FunctionOrder if each == text), FunctionOrder.NAME)


def grouped(
    rows: Iterable[FunctionRow], order: FunctionOrder, last: Mapping[str, int]
) -> list[FunctionGroup]:
    """Return rows by their modules: those first that come first in `order`, so within a module too.

    `last` says by function in which minute (since the epoch) one of its tasks ended last.
    """
    groups: dict[str, list[FunctionRow]] = {}
    for row in sorted(rows, key=lambda row: _key(row, order, last)):
        groups.setdefault(row.module, []).append(row)
    return [FunctionGroup(module, found) for module, found in groups.items()]


def order_choices(order: FunctionOrder, wanted: str) -> tuple[Choice, ...]:
    return tuple(Choice(_(_WORDS[each]), _href(each, wanted), each is order) for each in _WORDS)


def _href(order: FunctionOrder, wanted: str) -> str:
    given = {"q": wanted, "sort": "" if order is FunctionOrder.NAME else order.value}
    return address("/functions", [(name, value) for name, value in given.items() if value])


def _key(row: FunctionRow, order: FunctionOrder, last: Mapping[str, int]) -> _Key:
    name = row.function.spec.name
    match order:
        case FunctionOrder.NAME:
            return 0, 0, name
        case FunctionOrder.FAILURES:
            return -row.failed_lately.number, -row.failures.number, name
        case FunctionOrder.RUN:
            run = row.spread.run if row.spread else None
            return -(run.p95 if run else 0.0), 0, name
        case FunctionOrder.LAST:
            return -last.get(name, 0), 0, name
