"""Why a task waits, on its page: in words, with its place, and the button that helps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from pooldeck_server.domain.tasks.dependencies import RelatedTask
from pooldeck_server.domain.tasks.waiting import Help, TaskWait
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.waiting import estimate_words, place_words, waiting_words


@dataclass(frozen=True)
class WaitStep:
    """What can be done: a link, or a form that does it (`is_done`)."""

    label: str
    href: str
    is_done: bool = False


@dataclass(frozen=True)
class WaitingBlock:
    """Why a task waits: `mark` is the shape beside it, `hidden` how many tasks are not named."""

    mark: str
    words: str
    since: int | None
    until: int | None
    place: str
    estimate: str
    tasks: tuple[RelatedTask, ...]
    hidden: int
    step: WaitStep | None


def waiting_block(waiting: TaskWait | None) -> WaitingBlock | None:
    if waiting is None:
        return None
    return WaitingBlock(
        mark=_MARKS.get(waiting.help, "queued") if waiting.until is None else "scheduled",
        words=waiting_words(waiting),
        since=waiting.since,
        until=waiting.until,
        place=place_words(waiting),
        estimate=estimate_words(waiting),
        tasks=waiting.tasks,
        hidden=max(0, waiting.needs - len(waiting.tasks)) if waiting.tasks else 0,
        step=_STEPS[waiting.help](waiting) if waiting.help in _STEPS else None,
    )


def _resume_pool(waiting: TaskWait) -> WaitStep:
    words = _("Resume %(pool)s", pool=waiting.pool)
    return WaitStep(words, f"/pools/{quote(waiting.pool)}/resume", is_done=True)


def _release(waiting: TaskWait) -> WaitStep:
    words = _("Release %(function)s", function=formats.short_name(waiting.function))
    return WaitStep(words, f"/functions/{quote(waiting.function)}/release", is_done=True)


def _see_unschedulable(waiting: TaskWait) -> WaitStep:
    query = urlencode({"function": waiting.function})
    path = f"/pools/{quote(waiting.pool)}/unschedulable?{query}"
    return WaitStep(_("What can be done"), path)


def _see_running(waiting: TaskWait) -> WaitStep:
    query = urlencode({"state": "running", "pool": waiting.pool})
    return WaitStep(_("What runs in %(pool)s", pool=waiting.pool), f"/tasks?{query}")


_STEPS: Final[Mapping[Help | None, Callable[[TaskWait], WaitStep]]] = {
    Help.RESUME_POOL: _resume_pool,
    Help.RELEASE_FUNCTION: _release,
    Help.RESUME_SERVER: lambda _waiting: WaitStep(
        _("Resume the server"), "/drain/resume", is_done=True
    ),
    Help.RESTART_POOL: lambda waiting: WaitStep(
        _("Restart %(pool)s", pool=waiting.pool), f"/pools/{quote(waiting.pool)}/restart"
    ),
    Help.SETTLE_RESTORED: lambda _waiting: WaitStep(_("Decide on it"), "/restored"),
    Help.SEE_UNSCHEDULABLE: _see_unschedulable,
    Help.SEE_RUNNING: _see_running,
    Help.RUN_NOW: lambda waiting: WaitStep(
        _("Run now"), f"/tasks/{waiting.task}/run-now", is_done=True
    ),
}
"""What helps; the tasks that one comes after are named anyhow."""

_MARKS: Final[Mapping[Help | None, str]] = {
    Help.RESUME_POOL: "paused",
    Help.RELEASE_FUNCTION: "hold",
    Help.RESUME_SERVER: "draining",
    Help.RESTART_POOL: "broken",
    Help.SETTLE_RESTORED: "broken",
    Help.SEE_UNSCHEDULABLE: "notice",
}
