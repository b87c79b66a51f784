"""The story of a start, in words for the log and the pages."""

from pooldeck_server.domain.pools.controls import StartReport
from pooldeck_server.domain.pools.stops import named

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


def in_words(report: StartReport) -> str:
    """Return what a start found and what it did with it, such as "the server before this one …".

    Figures of nothing are left out.
    """
    how = "ended in order" if report.was_clean else "was cut off"
    parts = [f"the server before this one {how}{_ago(report.down_seconds)}"]
    if report.drained:
        parts[0] += f", drained by {report.drained.words}"
    if tasks := _tasks(report):
        parts.append(f"its tasks: {tasks}")
    if report.cut_off:
        parts.append(f"cut off: {named(report.cut_off, report.lost + report.rerun)}")
    if report.reaped:
        parts.append(f"{_counted(report.reaped, 'process', 'processes')} left over and ended")
    if report.held:
        parts.append(f"{_counted(report.held, 'function', 'functions')} on hold")
    return "; ".join(parts)


def decided_in_words(found: int, not_begun: int, rerun: int, lost: int, left: int) -> str:
    """Return what has become known of tasks that hosts had when the server before this one ended.

    Args:
        found: Those that had ended.
        not_begun: Those that had not begun: they are queued as before.
        rerun: Those that are run again.
        lost: Those that are lost.
        left: Those that nothing is known of yet.
    """
    figures = (
        (found, "had ended"),
        (not_begun, "had not begun"),
        (rerun, "run again"),
        (lost, "lost"),
        (left, "not known yet"),
    )
    said = ", ".join(f"{number} {words}" for number, words in figures if number)
    return f"tasks that hosts had when the server before this one ended: {said}"


def _tasks(report: StartReport) -> str:
    figures = (
        (report.queued, "queued"),
        (report.scheduled, "scheduled"),
        (report.not_begun, "of those handed out had not begun"),
        (report.found, "had ended, found in the workers' notes"),
        (report.rerun, "run again"),
        (report.lost, "lost"),
        (report.on_hosts, "on hosts that have not said what became of them"),
    )
    return ", ".join(f"{number} {words}" for number, words in figures if number)


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _ago(seconds: float | None) -> str:
    return "" if seconds is None else f" {_span(seconds)} ago"


def _span(seconds: float) -> str:
    """Return a time span as exactly as people want it, such as "2.5 s" or "3 h 20 min"."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR:.0f} h {seconds % _HOUR / _MINUTE:.0f} min"
    return f"{seconds / _DAY:.0f} days"
