"""The story of a start that followed a crash: what it found, and what it did with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.domain.controls import ServerRun, StartReport
from app.web import formats

_TOLD: Final = 24 * 3600 * 1_000_000  # for how many microseconds after a start its story is told


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
    first = f"The server was cut off and started again after {down}."
    return (Sentence(first), *_found(report))


def _found(report: StartReport) -> Iterator[Sentence]:
    if report.queued:
        kept = _counted(report.queued, "queued task was kept", "queued tasks were kept")
        yield Sentence(kept, "/tasks?state=queued")
    if report.scheduled:
        kept = _counted(report.scheduled, "scheduled task was kept", "scheduled tasks were kept")
        yield Sentence(kept, "/tasks?state=scheduled")
    if report.rerun:
        again = "task under way is run again", "tasks under way are run again"
        yield Sentence(_counted(report.rerun, *again))
    if report.lost:
        lost = _counted(report.lost, "task under way was lost", "tasks under way were lost")
        yield Sentence(lost, "/tasks?state=lost&error=interrupted")
        yield Sentence("How far the lost ones came cannot be known: decide whether to retry them.")
    if report.reaped:
        ended = "process left behind was ended", "processes left behind were ended"
        yield Sentence(_counted(report.reaped, *ended))


def _counted(number: int, singular: str, plural: str) -> str:
    return f"{formats.count(number)} {singular if number == 1 else plural}."
