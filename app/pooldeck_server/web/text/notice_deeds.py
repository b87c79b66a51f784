"""What can be done about a notice, a click away: where to look, and what mends it.

What many tasks feel, or what cannot be undone, leads to a question first.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.controls import HoldKind
from pooldeck_server.web.text.i18n import _


@dataclass(frozen=True)
class NoticeDeed:
    """A button of a notice: it leads to a page or, with `is_post`, does it at once."""

    label: str
    href: str
    is_post: bool = False


def deeds(notice: Notice) -> tuple[NoticeDeed, ...]:
    """Return what can be done about a notice, the most helpful first."""
    of = _DEEDS.get(notice.need)
    return () if of is None else tuple(of(notice))


def _pool(notice: Notice) -> str:
    return f"/pools/{quote(notice.pool or '')}"


def _function(notice: Notice) -> str:
    return f"/functions/{quote(notice.function or '')}"


def _resume_pool(notice: Notice) -> Iterator[NoticeDeed]:
    yield NoticeDeed(_("Resume"), f"{_pool(notice)}/resume", is_post=True)


def _restart_pool(notice: Notice) -> Iterator[NoticeDeed]:
    yield NoticeDeed(_("Restart the pool…"), f"{_pool(notice)}/restart")


def _hold(notice: Notice) -> Iterator[NoticeDeed]:
    yield NoticeDeed(_("Release"), f"{_function(notice)}/release", is_post=True)
    if notice.hold is not None and notice.hold.kind is HoldKind.CRASHES:
        query = urlencode({"function": notice.function})
        yield NoticeDeed(_("Look at its incidents"), f"/incidents?{query}")


def _paused_function(notice: Notice) -> Iterator[NoticeDeed]:
    yield NoticeDeed(_("Resume"), f"{_function(notice)}/resume", is_post=True)


def _look_at_hosts(notice: Notice) -> Iterator[NoticeDeed]:
    yield NoticeDeed(_("Look at its hosts"), f"/pools#hosts-{quote(notice.pool or '')}")


def _look_at_what_runs(notice: Notice) -> NoticeDeed:
    query = urlencode({"state": "running", "pool": notice.pool})
    return NoticeDeed(_("Look at what runs"), f"/tasks?{query}")


def _make_larger(notice: Notice) -> NoticeDeed:
    query = urlencode({"pool": notice.pool})
    return NoticeDeed(_("Make it larger"), f"/pools?{query}#{notice.pool}")


def _starving(notice: Notice) -> Iterator[NoticeDeed]:
    yield _look_at_what_runs(notice)
    yield _make_larger(notice)


def _short_of_slots(notice: Notice) -> Iterator[NoticeDeed]:
    yield _make_larger(notice)
    yield _look_at_what_runs(notice)


def _outgrown(notice: Notice) -> Iterator[NoticeDeed]:
    href = f"/pools?{urlencode({'pool': notice.pool})}#{notice.pool}"
    yield NoticeDeed(_("Look at its memory"), href)


def _stuck(notice: Notice) -> Iterator[NoticeDeed]:
    if notice.task is None:
        query = urlencode({"state": "running", "pool": notice.pool})
        yield NoticeDeed(_("Look at them"), f"/tasks?{query}")
        return
    yield NoticeDeed(_("Look where it is"), f"/tasks/{notice.task}#stack")
    yield NoticeDeed(_("Kill…"), f"/tasks/{notice.task}/kill")


def _unschedulable(notice: Notice) -> Iterator[NoticeDeed]:
    if notice.function is None:
        yield NoticeDeed(_("Cancel them…"), f"{_pool(notice)}/unschedulable")
        return
    query = urlencode({"function": notice.function})
    yield NoticeDeed(_("Cancel them…"), f"{_pool(notice)}/unschedulable?{query}")


def _returned(notice: Notice) -> Iterator[NoticeDeed]:
    if notice.group is None:
        yield NoticeDeed(_("Look at them"), "/errors?state=returned")
        return
    yield NoticeDeed(_("Look at the error"), f"/errors/{quote(notice.group)}")
    yield NoticeDeed(_("Retry all…"), f"/tasks/retry?{urlencode({'group': notice.group})}")


def _misplaced(notice: Notice) -> Iterator[NoticeDeed]:
    href = f"{_function(notice)}#advice" if notice.function else "/#misplaced"
    yield NoticeDeed(_("Look at the advice"), href)


def _one(label: Callable[[], str], href: str, *, is_post: bool = False) -> "_Deeds":
    """Return what gives one deed, the same for every notice of a need."""
    return lambda _notice: iter((NoticeDeed(label(), href, is_post),))


_Deeds = Callable[[Notice], Iterator[NoticeDeed]]
_DEEDS: Final[Mapping[Need, _Deeds]] = {
    Need.BROKEN: _restart_pool,
    Need.NO_NEW_WORKERS: _restart_pool,
    Need.OUTDATED: _restart_pool,
    Need.ABANDONED: _restart_pool,
    Need.PAUSED: _resume_pool,
    Need.DRAINING: _resume_pool,
    Need.STOPPED: _resume_pool,
    Need.HOLD: _hold,
    Need.PAUSED_FUNCTION: _paused_function,
    Need.SHORT_OF_SLOTS: _short_of_slots,
    Need.STARVATION: _starving,
    Need.OUTGROWN: _outgrown,
    Need.STUCK: _stuck,
    Need.UNSCHEDULABLE: _unschedulable,
    Need.RETURNED: _returned,
    Need.MISPLACED: _misplaced,
    Need.UNDONE: lambda notice: iter(
        (NoticeDeed(_("Decide where it runs"), f"{_function(notice)}#undone"),)
    ),
    Need.NO_HOST: _look_at_hosts,
    Need.LOST_CONTACT: _look_at_hosts,
    Need.REFUSED_HOST: _look_at_hosts,
    Need.FAILED_MODULE: _one(lambda: _("Read the traceback"), "/functions#failed-modules"),
    Need.RESTORED: _one(lambda: _("Decide"), "/restored"),
    Need.UNDELETED: _one(lambda: _("Look at what would go"), "/retention"),
    Need.LOW_DISK: _one(lambda: _("Look at the rules"), "/retention"),
    Need.LEAPT_CLOCK: _one(lambda: _("Say that it is right"), "/retention"),
    Need.UNTOLD: _one(lambda: _("Look at the answers"), "/alerts"),
    Need.TURNED_OFF: _one(lambda: _("Look at them"), "/alerts"),
    Need.SERVER_DRAIN: _one(lambda: _("Resume"), "/drain/resume", is_post=True),
}
"""What can be done about each need; about those of the disk and the file, nothing is a click."""
