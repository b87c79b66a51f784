"""What fails now, beside the chart: the groups of errors of the last minutes and how they go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.failures.error_groups import (
    FAILING_MINUTES,
    FailingGroup,
    StoredErrorGroup,
)
from pooldeck_server.domain.failures.incidents import StoredIncident
from pooldeck_server.web.pages.shared.address import address
from pooldeck_server.web.pages.shared.rendering import Fragment
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _

_CLEARLY: Final = 1.5  # times as many as before, or as few


@dataclass(frozen=True)
class FailingRow:
    """A group that fails now, in words; `incident` is what took its tasks along, if anything did.

    `trend` is a word for the style sheet: new, rising, steady or falling. `minutes` are its
    failures by minute, the oldest first, and `tasks` lists the tasks that they are.
    """

    group: StoredErrorGroup
    incident: StoredIncident | None
    pools: Sequence[str]
    number: str
    rate: str
    trend: str
    trend_words: str
    minutes: Sequence[int]
    tasks: str


@dataclass(frozen=True)
class FailingFragment(Fragment):
    """What fails now anew, for an open deck; there are `failing_more` groups beside those shown."""

    template = "deck/failing.html"

    failing: Sequence[FailingRow]
    failing_more: int
    now: int


def failing_rows(found: Iterable[FailingGroup]) -> list[FailingRow]:
    return [_row(each) for each in found]


def _row(each: FailingGroup) -> FailingRow:
    trend = _trend(each)
    return FailingRow(
        group=each.group,
        incident=each.incident,
        pools=each.pools,
        number=formats.count(each.number),
        rate=_("%(rate)s a minute", rate=formats.rate(each.rate)),
        trend=trend,
        trend_words=_trend_words(trend, each.before),
        minutes=each.minutes,
        tasks=address("/tasks", [("group", each.group.id), ("since", f"{FAILING_MINUTES}m")]),
    )


def _trend(each: FailingGroup) -> str:
    if not each.before:
        return "new"
    if each.number >= _CLEARLY * each.before:
        return "rising"
    return "falling" if each.before >= _CLEARLY * each.number else "steady"


def _trend_words(trend: str, before: int) -> str:
    match trend:
        case "new":
            return _("none in the 15 min before")
        case "rising":
            return _("more: %(n)s in the 15 min before", n=formats.count(before))
        case "falling":
            return _("fewer: %(n)s in the 15 min before", n=formats.count(before))
        case _:
            return _("as before: %(n)s in the 15 min before", n=formats.count(before))
