"""What a notice is about, by name, and the page where more is known of that or it can be mended."""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote, urlencode

from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later, ngettext

_SUBJECTS: Final = {
    Need.UNLOGGED: later("The log file"),
    Need.SERVER_DRAIN: later("The server"),
    Need.OPEN: later("The server"),
    Need.LEAPT_CLOCK: later("The clock"),
    Need.UNTOLD: later("Alerts"),
    Need.TURNED_OFF: later("Alerts"),
}


def subject_of(notice: Notice) -> str:
    if notice.need is Need.MISPLACED and notice.function is None:
        return ngettext("%(num)s function", "%(num)s functions", notice.number)
    if notice.module is not None:
        return notice.module
    if notice.function is not None:
        whole = notice.need in {Need.HOLD, Need.PAUSED_FUNCTION, Need.UNSCHEDULABLE}
        return notice.function if whole else formats.short_name(notice.function)
    if notice.need is Need.RETURNED:
        return notice.reason or _("Errors")
    if notice.need in _SUBJECTS:
        return _(_SUBJECTS[notice.need])
    return notice.host or notice.worker or notice.pool or _("The database")


def href_of(notice: Notice) -> str:
    if notice.need in _PLACES:
        return _PLACES[notice.need](notice)
    return f"/pools#{quote(notice.pool)}" if notice.pool else "/"


def _function_advice(notice: Notice) -> str:
    return f"/functions/{quote(notice.function)}#advice" if notice.function else "/#misplaced"


def _returned_errors(notice: Notice) -> str:
    return f"/errors/{quote(notice.group)}" if notice.group else "/errors?state=returned"


def _stuck_tasks(notice: Notice) -> str:
    if notice.task is not None:
        return f"/tasks/{notice.task}"
    return "/tasks?" + urlencode({"state": "running", "pool": notice.pool})


def _unschedulable_tasks(notice: Notice) -> str:
    function = "" if notice.function is None else "?" + urlencode({"function": notice.function})
    return f"/pools/{quote(notice.pool or '')}/unschedulable{function}"


_PLACES: Final[Mapping[Need, Callable[[Notice], str]]] = {
    Need.HOLD: lambda notice: f"/functions/{quote(notice.function or '')}",
    Need.PAUSED_FUNCTION: lambda notice: f"/functions/{quote(notice.function or '')}",
    Need.UNDONE: lambda notice: f"/functions/{quote(notice.function or '')}#undone",
    Need.MISPLACED: _function_advice,
    Need.RETURNED: _returned_errors,
    Need.FAILED_MODULE: lambda _notice: "/functions#failed-modules",
    Need.UNSCHEDULABLE: _unschedulable_tasks,
    Need.STUCK: _stuck_tasks,
    Need.RESTORED: lambda _notice: "/restored",
    Need.UNDELETED: lambda _notice: "/retention",
    Need.LOW_DISK: lambda _notice: "/retention",
    Need.LEAPT_CLOCK: lambda _notice: "/retention",
    Need.UNTOLD: lambda _notice: "/alerts",
    Need.TURNED_OFF: lambda _notice: "/alerts",
    Need.SERVER_DRAIN: lambda _notice: "/drain",
    Need.OPEN: lambda _notice: "/tokens",
}
"""Where to find more than on the page of the pools."""
