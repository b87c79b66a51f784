"""What is said of a notice, behind its subject, in the reader's language.

The words of a notice change rarely: a screen reader says them anew when they do.
"""

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Final

from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.controls import HoldKind
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.drain import drain_words
from pooldeck_server.web.text.holds import hold_words
from pooldeck_server.web.text.i18n import _, both, later, ngettext
from pooldeck_server.web.text.reasons import start_words
from pooldeck_server.web.text.recorded import problem_words

_MINUTE: Final = 60
_HOUR: Final = 3600
_SPANS: Final = (
    (86400, later("for over a day")),
    (_HOUR, later("for over an hour")),
    (_HOUR // 2, later("for over half an hour")),
    (10 * _MINUTE, later("for over 10 minutes")),
    (5 * _MINUTE, later("for over 5 minutes")),
    (_MINUTE, later("for over a minute")),
    (10, later("for over 10 s")),
)
_WHOLE_FROM: Final = 3.0


def span(seconds: float | None) -> str:
    """Return for how long something has been so, in words that rarely change; "" if unknown."""
    return next((_(words) for least, words in _SPANS if (seconds or 0.0) >= least), "")


def _for(notice: Notice) -> str:
    words = span(notice.seconds)
    return _(", %(span)s now", span=words) if words else ""


def _starving(notice: Notice) -> str:
    slots = ngettext("its only slot has", "all %(num)s slots have", notice.number)
    return _(
        "starves: %(slots)s been busy %(since)s while tasks wait. If what runs waits for what is "
        "queued, neither ends: make the pool larger, or kill one.",
        slots=slots,
        since=span(notice.seconds),
    )


def _short_of_slots(notice: Notice) -> str:
    return ngettext(
        "is short of slots: all are busy nearly always, and %(num)s task waits, %(since)s. Make it "
        "larger, or look at what runs.",
        "is short of slots: all are busy nearly always, and %(num)s tasks wait, the oldest "
        "%(since)s. Make it larger, or look at what runs.",
        notice.number,
        since=span(notice.seconds),
    )


def _stuck(notice: Notice) -> str:
    if notice.task is None:
        return ngettext(
            "has %(num)s task that runs far longer than usual, or past its timeout: look where it "
            "is, ask it to end, or kill it.",
            "has %(num)s tasks that run far longer than usual, or past their timeouts: look where "
            "they are, ask them to end, or kill them.",
            notice.number,
        )
    if notice.usual is None:
        return _(
            "in %(worker)s has been running %(since)s, past its timeout: look where it is, or "
            "kill it.",
            worker=notice.worker,
            since=span(notice.seconds),
        )
    return _(
        "in %(worker)s has been running %(since)s; 19 of 20 take at most %(usual)s: look where it "
        "is, ask it to end, or kill it.",
        worker=notice.worker,
        since=span(notice.seconds),
        usual=formats.duration(notice.usual),
    )


def _misplaced(notice: Notice) -> str:
    times = _coarsely(notice.gain or 1.0)
    if notice.function is None:
        return _(
            "would do better in other pools than where they run: up to %(times)s times as fast.",
            times=times,
        )
    if notice.target is None:
        return _(
            "would do better in another kind of pool than %(pool)s: %(times)s times as fast.",
            pool=notice.pool,
            times=times,
        )
    words = _(
        "would do better in %(target)s than in %(pool)s: %(times)s times as fast.",
        target=notice.target,
        pool=notice.pool,
        times=times,
    )
    return f"{words} {_risks(notice.risks)}" if notice.risks else words


def _risks(number: int) -> str:
    return ngettext(
        "But its code does something that may not work there.",
        "But its code does %(num)s things that may not work there.",
        number,
    )


def _coarsely(gain: float) -> str:
    """Return a gain in steps of a half, from three on in whole ones: it wavers with each run."""
    return f"{int(gain)}" if gain >= _WHOLE_FROM else f"{int(2 * gain) / 2:g}"


def _than(notice: Notice) -> str:
    """Return what code is older than, where files are known that have changed."""
    if notice.file is None:
        return _(" than other workers")
    return _(" than the disk (%(file)s)", file=PurePath(notice.file).name)


def first_line(reason: str | None) -> str:
    return (reason or "").strip().partition("\n")[0]


_SENTENCES: Final[Mapping[Need, str | tuple[str, str]]] = {
    Need.BROKEN: later("is broken%(since)s: %(why)s"),
    Need.PAUSED: later("is paused%(since)s: what is queued waits until somebody resumes it."),
    Need.DRAINING: later("is draining%(since)s: it finishes what runs and hands nothing new out."),
    Need.STOPPED: later("is stopped%(since)s: what is queued waits until somebody resumes it."),
    Need.ABANDONED: both(
        "has 1 abandoned thread%(since)s: its task is over, but it runs on until it ends. A "
        "restart of the pool gets rid of it.",
        "has %(num)s abandoned threads%(since)s: their tasks are over, but they run on until they "
        "end. A restart of the pool gets rid of them.",
    ),
    Need.OUTGROWN: both(
        "is short of memory: %(num)s worker held more than its limit of %(why)s in the last 10 "
        "minutes, and was replaced. Look at what makes its workers grow, or raise "
        "max_memory_mb.",
        "is short of memory: %(num)s workers held more than their limit of %(why)s in the last 10 "
        "minutes, and were replaced. Look at what makes its workers grow, or raise "
        "max_memory_mb.",
    ),
    Need.REFUSED_WRITES: later(
        "does not take writes: %(why)s. What has ended is kept in memory and tried again."
    ),
    Need.MISSING_DATABASE: later(
        "is gone: %(file)s was deleted or moved away under the running server, which takes nothing "
        "now. Put the same file back. Or stop the server, put a backup there, remove %(file)s-wal "
        "and start again."
    ),
    Need.REPLACED_DATABASE: later(
        "was replaced: %(file)s is not the file any more that the server opened, so it takes "
        "nothing now. Stop the server and start it again, and it uses the new file."
    ),
    Need.TAKEN_DATABASE: later(
        "is used by another server (process %(process)s): %(file)s, which locks it, was removed. "
        "This server takes nothing any more: stop it."
    ),
    Need.RESTORED: both(
        "was put back from a backup of %(why)s, and 1 task waited in it that may have run since. "
        "Nothing runs until you say whether it does.",
        "was put back from a backup of %(why)s, and %(num)s tasks waited in it that may have run "
        "since. Nothing runs until you say whether they do.",
    ),
    Need.NO_BACKUP: later("was not backed up: %(why)s. It is tried again every 10 minutes."),
    Need.UNDELETED: later(
        "has tasks from before old ones were deleted. Nothing goes until somebody has looked at "
        "what would, and said yes."
    ),
    Need.LOW_DISK: later(
        "has little room left on its disk (less than %(why)s). Make room, or let more tasks go, "
        "before it is full and submissions are refused."
    ),
    Need.SLOW_WRITES: later(
        "lags: a commit takes more than %(seconds)s s. The disk is slow or busy, or another "
        "program holds the database."
    ),
    Need.UNLOGGED: later(
        "cannot be written: %(why)s. Lines are left out of it until it can; the log of each task "
        "has them."
    ),
    Need.OPEN: later(
        'is open (access = "open"): each user and each program of this machine may do everything. '
        "Take the setting out, or set tokens."
    ),
    Need.LEAPT_CLOCK: both(
        "is a day ahead of what was known of the time. What would be too old only by that is "
        "not deleted until it is back, or somebody says that it is right.",
        "is %(num)s days ahead of what was known of the time. What would be too old only by that "
        "is not deleted until it is back, or somebody says that it is right.",
    ),
    Need.UNTOLD: both(
        "and callbacks do not arrive: 1 message waits, the oldest%(since)s. Look at the answers, "
        "and whether the receivers are up.",
        "and callbacks do not arrive: %(num)s messages wait, the oldest%(since)s. Look at the "
        "answers, and whether the receivers are up.",
    ),
    Need.TURNED_OFF: both(
        "do not reach everybody: the server turned 1 destination off by itself. Turn it on "
        "again, or delete it.",
        "do not reach everybody: the server turned %(num)s destinations off by itself. Turn them "
        "on again, or delete them.",
    ),
    Need.NO_NEW_WORKERS: later("goes on with the workers that it has%(since)s: %(why)s"),
    Need.FAILED_MODULE: later(
        "could not be loaded: %(why)s. Its functions are missing in workers that start now. Mend "
        "it, and restart the pools."
    ),
    Need.OUTDATED: both(
        "has 1 worker with older code%(than)s: restart the pool to load the new one.",
        "has %(num)s workers with older code%(than)s: restart the pool to load the new one.",
    ),
    Need.UNDONE: later(
        "went back from %(target)s to %(pool)s: it failed there as it never had before "
        "(%(why)s). Decide where it is to run."
    ),
    Need.REFUSED_HOST: later("is a host that was refused by %(pool)s: %(why)s"),
    Need.RETURNED: both(
        "is back%(since)s, after somebody had marked it as fixed.",
        "of %(num)s kinds are back, after somebody had marked them as fixed.",
    ),
}
"""What is said of needs whose words depend on nothing but their values, and on a number."""


def _unschedulable(notice: Notice) -> str:
    if notice.function is None:
        return ngettext(
            "has 1 more task that none of its workers can run.",
            "has %(num)s more tasks that none of its workers can run.",
            notice.number,
        )
    return ngettext(
        "has 1 task in %(pool)s that waits: %(why)s. It runs when a worker can run it; or cancel "
        "it.",
        "has %(num)s tasks in %(pool)s that wait: %(why)s. They run when a worker can run them; "
        "or cancel them.",
        notice.number,
        pool=notice.pool,
        why=problem_words(notice.reason or ""),
    )


def _held(notice: Notice) -> str:
    hold = notice.hold
    why = notice.reason if hold is None else hold_words(hold)
    values = {"since": _for(notice), "why": why}
    if hold is None or hold.kind is HoldKind.CRASHES:
        words = later("is on hold%(since)s; its tasks wait: %(why)s. Release it when it is mended.")
    elif hold.refuses:
        words = later("was put on hold %(why)s. Its tasks wait%(since)s, and new ones are refused.")
    else:
        words = later("is paused %(why)s. Its tasks wait%(since)s, and so do new ones.")
    return _(words, **values)


def _no_host(notice: Notice) -> str:
    if notice.reason:
        return _(
            "has no host, so nothing runs%(since)s: %(why)s", since=_for(notice), why=notice.reason
        )
    return _(
        "has no host, so nothing runs%(since)s. Start one on a machine: pooldeck host --pool "
        "%(pool)s",
        since=_for(notice),
        pool=notice.pool,
    )


def _lost_contact(notice: Notice) -> str:
    if not notice.number:
        return _("of %(pool)s is not heard of. Nothing ran there.", pool=notice.pool)
    if notice.until is None:
        return ngettext(
            "of %(pool)s is not heard of: 1 task may run on there.",
            "of %(pool)s is not heard of: %(num)s tasks may run on there.",
            notice.number,
            pool=notice.pool,
        )
    return ngettext(
        "of %(pool)s is not heard of: 1 task may run on there. It is lost at %(time)s, unless the "
        "host comes back.",
        "of %(pool)s is not heard of: %(num)s tasks may run on there. They are lost at %(time)s, "
        "unless the host comes back.",
        notice.number,
        pool=notice.pool,
        time=formats.second(notice.until),
    )


_TEXTS: Final[Mapping[Need, Callable[[Notice], str]]] = {
    Need.HOLD: _held,
    Need.PAUSED_FUNCTION: _held,
    Need.STARVATION: _starving,
    Need.SHORT_OF_SLOTS: _short_of_slots,
    Need.STUCK: _stuck,
    Need.MISPLACED: _misplaced,
    Need.UNSCHEDULABLE: _unschedulable,
    Need.SERVER_DRAIN: drain_words,
    Need.LOST_CONTACT: _lost_contact,
    Need.NO_HOST: _no_host,
}


def words_of(notice: Notice) -> str:
    if notice.need in _TEXTS:
        return _TEXTS[notice.need](notice)
    why = notice.reason
    if notice.need in {Need.BROKEN, Need.NO_NEW_WORKERS}:
        why = first_line(start_words(why or "")) or _("its workers do not start")
    values = {
        "since": _for(notice),
        "why": why,
        "file": notice.file,
        "than": _than(notice),
        "process": notice.reason,
        "seconds": int(notice.seconds or 1),
        "pool": notice.pool,
        "target": notice.target,
    }
    words = _SENTENCES[notice.need]
    return (
        _(words, **values) if isinstance(words, str) else ngettext(*words, notice.number, **values)
    )
