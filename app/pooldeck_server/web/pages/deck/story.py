"""The story of a start that followed a crash: what it found, and what it did with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.clock import HOUR
from pooldeck_server.domain.pools.controls import ServerRun, StartReport
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, ngettext

_TOLD: Final = 24 * HOUR  # for how many microseconds after a start its story is told


@dataclass(frozen=True)
class Sentence:
    """A sentence of a story; `href` lists what it counts, where a list can."""

    text: str
    href: str | None = None


def story(run: ServerRun, now: int) -> tuple[Sentence, ...]:
    """Return what the start of a run found and did; nothing after a clean end, or a day later.

    Args:
        run: The run of the server, with the report of its start.
        now: Microseconds since the epoch.
    """
    report = run.report
    if report is None or report.was_clean or now - run.started_at > _TOLD:
        return ()
    down = formats.duration(report.down_seconds)
    first = _("The server was cut off and started again after %(down)s.", down=down)
    return (Sentence(first), *_found(report))


def _found(report: StartReport) -> Iterator[Sentence]:
    if report.queued:
        kept = ngettext(
            "%(num)s queued task was kept.", "%(num)s queued tasks were kept.", report.queued
        )
        yield Sentence(kept, "/tasks?state=queued")
    if report.scheduled:
        kept = ngettext(
            "%(num)s scheduled task was kept.",
            "%(num)s scheduled tasks were kept.",
            report.scheduled,
        )
        yield Sentence(kept, "/tasks?state=scheduled")
    if report.rerun:
        yield Sentence(
            ngettext(
                "%(num)s task under way is run again.",
                "%(num)s tasks under way are run again.",
                report.rerun,
            )
        )
    yield from _lost(report.lost)
    if report.reaped:
        yield Sentence(
            ngettext(
                "%(num)s process left behind was ended.",
                "%(num)s processes left behind were ended.",
                report.reaped,
            )
        )


def _lost(number: int) -> Iterator[Sentence]:
    if number:
        lost = ngettext(
            "%(num)s task under way was lost.", "%(num)s tasks under way were lost.", number
        )
        yield Sentence(lost, "/tasks?state=lost&error=interrupted")
        yield Sentence(
            _("How far the lost ones came cannot be known: decide whether to retry them.")
        )
