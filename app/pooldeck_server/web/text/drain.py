"""A drain of the whole server in the reader's language."""

import math

from pooldeck_server.domain.notices import Notice
from pooldeck_server.web.text.i18n import _, ngettext

_TENTH, _MINUTE, _HOUR = 10, 60, 3600  # seconds


def drain_words(notice: Notice) -> str:
    """Return what a notice of a drain says: by whom, what still runs, what comes then."""
    who = notice.by or ""
    first = (
        _("takes nothing new: drained by %(who)s (%(why)s).", who=who, why=notice.reason)
        if notice.reason
        else _("takes nothing new: drained by %(who)s.", who=who)
    )
    return " ".join(
        (first, *remaining_words(notice.number, notice.waiting, notice.usual), _then(notice))
    )


def remaining_words(running: int, queued: int, about: float | None) -> tuple[str, ...]:
    """Return what a drain still waits for, in sentences; `about` is for how many seconds."""
    if not running and not queued:
        return (_("Nothing runs any more."),)
    sentences = []
    if running:
        sentences.append(ngettext("1 task still runs.", "%(num)s tasks still run.", running))
    if queued:
        sentences.append(
            ngettext(
                "1 more is queued and runs first.", "%(num)s more are queued and run first.", queued
            )
        )
    if about is not None:
        sentences.append(
            _("By usual durations that takes up to %(time)s more.", time=coarsely(about))
        )
    return tuple(sentences)


def coarsely(seconds: float) -> str:
    """Return a time, rounded up so far that it changes rarely: a screen reader says it anew."""
    if seconds <= _MINUTE:
        return _("%(n)s s", n=_TENTH * max(1, math.ceil(seconds / _TENTH)))
    if seconds <= _HOUR:
        return _("%(n)s min", n=math.ceil(seconds / _MINUTE))
    return _("%(n)s h", n=math.ceil(seconds / _HOUR))


def _then(notice: Notice) -> str:
    if not notice.stops:
        return _("What waits goes on when somebody resumes it.")
    if notice.left is not None:
        return _("The server ends after that, or when its time is over.")
    return _("The server ends after that.")
