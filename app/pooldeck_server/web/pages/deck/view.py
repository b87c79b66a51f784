"""The deck: every pool with its workers and slots, as the page's filter narrows them.

After a crash, or an end that cut tasks off, it tells the story of the start: what that found, and
what it did with it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias
from urllib.parse import urlencode

from pooldeck_server.domain.clock import HOUR
from pooldeck_server.domain.frames import Frame
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.pools.controls import ServerRun, StartReport
from pooldeck_server.domain.pools.health import DeadWorker, PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.pages.deck.chart import ShownChart
from pooldeck_server.web.pages.deck.failing import FailingRow
from pooldeck_server.web.pages.shared.moves import MisplacedRow
from pooldeck_server.web.pages.shared.rendering import Fragment, Page
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.colours import Colour, colours_of
from pooldeck_server.web.text.i18n import _, both, later, ngettext

_BLANK_WORKER: Final = WorkerHealth(
    id="", pid=None, state="starting", started_at=None, tasks_done=0, slots=()
)
_TOLD: Final = 24 * HOUR  # for how many microseconds after a start its story is told

_FOUND: Final = (
    ("queued", both("%(num)s queued task was kept.", "%(num)s queued tasks were kept.")),
    ("scheduled", both("%(num)s scheduled task was kept.", "%(num)s scheduled tasks were kept.")),
    (
        "not_begun",
        both(
            "%(num)s task was handed out and had not begun: it is queued.",
            "%(num)s tasks were handed out and had not begun: they are queued.",
        ),
    ),
    (
        "found",
        both(
            "%(num)s task had ended unrecorded: its end was found.",
            "%(num)s tasks had ended unrecorded: their ends were found.",
        ),
    ),
    (
        "rerun",
        both("%(num)s task under way is run again.", "%(num)s tasks under way are run again."),
    ),
    ("lost", both("%(num)s task under way was lost.", "%(num)s tasks under way were lost.")),
    (
        "on_hosts",
        both(
            "%(num)s task may run on a host that has not said what became of it.",
            "%(num)s tasks may run on hosts that have not said what became of them.",
        ),
    ),
    (
        "reaped",
        both("%(num)s process left behind was ended.", "%(num)s processes left behind were ended."),
    ),
)
"""What the report of a start counts: its field, and the words."""

_COST: Final = frozenset({"rerun", "lost", "on_hosts"})
"""What of that is told after an end in good order."""

_BY_NAME: Final = {
    State.QUEUED: later("%(function)s is run again."),
    State.LOST: later("%(function)s was lost."),
}
_NAMED: Final = 5

_LISTS: Final = {
    "queued": "/tasks?state=queued",
    "scheduled": "/tasks?state=scheduled",
    "lost": "/tasks?state=lost&error=interrupted",
}
"""Where what it counts is listed."""

Story: TypeAlias = tuple[tuple[str, str | None], ...]  # sentences, with lists of what they count
_UNKNOWN: Final = later("How far the lost ones came cannot be known: decide whether to retry them.")


@dataclass(frozen=True)
class Narrowed:
    """What the page is narrowed to: a pool, a function, both or neither."""

    pool: str | None = None
    function: str | None = None

    def without(self, name: str) -> str:
        rest = vars(replace(self, **{name: None}))
        query = urlencode({key: value for key, value in rest.items() if value})
        return f"/?{query}" if query else "/"


@dataclass(frozen=True)
class ChartFragment(Fragment):
    """The chart anew, for an open deck."""

    template = "deck/chart.html"

    chart: ShownChart


@dataclass(frozen=True)
class MisplacedFragment(Fragment):
    """The functions that would do better elsewhere anew, for an open deck."""

    template = "deck/misplaced.html"

    misplaced: Sequence[MisplacedRow]


@dataclass(frozen=True)
class DeckView(Page):
    """The pools; the blank ones are what the browser makes new tiles from.

    `misplaced` is None where the page is narrowed.
    """

    template = "deck/page.html"
    section = "deck"

    story: Story
    started_at: int
    pools: Sequence[PoolHealth]
    colours: Mapping[str, Colour]
    pool_names: Sequence[str]
    function_names: Sequence[str]
    narrowed: Narrowed
    misplaced: Sequence[MisplacedRow] | None
    failing: Sequence[FailingRow]
    failing_more: int
    chart: ShownChart
    blank_worker: WorkerHealth = _BLANK_WORKER
    blank_slot: SlotHealth = SlotHealth()  # noqa: RUF009 - it is frozen
    blank_dead: DeadWorker = DeadWorker("", "", "", None)  # noqa: RUF009 - it is frozen


def pools_shown(frame: Frame, catalogue: Catalogue, narrowed: Narrowed) -> list[PoolHealth]:
    """Return the pools that the page is narrowed to: by name, and where the function runs."""
    named = [pool for pool in frame.pools if narrowed.pool in {None, pool.name}]
    if narrowed.function is None:
        return named
    homes = {each.pool for each in catalogue.functions() if each.spec.name == narrowed.function}
    return [pool for pool in named if pool.name in homes or _runs(pool, narrowed.function)]


def tile_colours(pools: Iterable[PoolHealth], chart: ShownChart) -> dict[str, Colour]:
    """Return the colours of the functions that run; those with a line in the chart have its."""
    slots = (slot for pool in pools for worker in pool.workers for slot in worker.slots)
    running = Counter(slot.function for slot in slots if slot.function)
    return colours_of(running, chart.function_colours)


def _runs(pool: PoolHealth, function: str) -> bool:
    return any(slot.function == function for worker in pool.workers for slot in worker.slots)


def story(run: ServerRun, now: int) -> Story:
    """Return what the start of a run found and did.

    That is nothing a day later, and where the run before it ended without cutting anything off,
    unless somebody had drained it.
    """
    report = run.report
    if report is None or now - run.started_at > _TOLD:
        return ()
    if report.was_clean and not (report.lost or report.rerun or report.on_hosts or report.drained):
        return ()
    found: list[tuple[str, str | None]] = [(_first_sentence(report), None)]
    for name, words in _FOUND:
        number = getattr(report, name) if name in _COST or not report.was_clean else 0
        if number:
            found.append((ngettext(*words, number), _LISTS.get(name)))
        if number and name == "lost":
            found.append((_(_UNKNOWN), None))
    found += [
        (_(_BY_NAME[task.became], function=task.function), f"/tasks/{task.task}")
        for task in report.cut_off[:_NAMED]
    ]
    return tuple(found)


def _first_sentence(report: StartReport) -> str:
    down = formats.duration(report.down_seconds)
    if report.drained:
        return _(
            "The server was drained by %(who)s, stopped, and started again after %(down)s.",
            who=report.drained.words,
            down=down,
        )
    if report.was_clean:
        return _(
            "The server was stopped while tasks ran, and started again after %(down)s.", down=down
        )
    return _("The server was cut off and started again after %(down)s.", down=down)
