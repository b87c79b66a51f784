"""A task's log on a page: a part of it, the levels to choose from, the way to what came before."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from pooldeck_server.domain.tasks.filter import MAX_TEXT
from pooldeck_server.domain.tasks.log import Level, LogWindow, StoredLine
from pooldeck_server.web.pages.shared.address import address
from pooldeck_server.web.pages.shared.choices import Choice
from pooldeck_server.web.pages.shared.log_lines import LOG_LINES
from pooldeck_server.web.pages.task.data import LogData
from pooldeck_server.web.text.i18n import _


@dataclass(frozen=True)
class LogPart:
    """Lines of one attempt's log, in their order.

    `earlier` leads to those before, None where there are none, `latest` to the end; `fragment` is
    where a script gets more of the same log. `beginning` are the first lines of a log that is so
    long that it has lost `left_out` lines. `line` is the beginning of the address of a line, which
    its number completes; `text` is what is looked for, beside which a form has the `hidden` fields.
    `last` is the number of the last line that is finished:
    what comes later may stand before one that is not.
    """

    attempt: int
    lines: Sequence[StoredLine]
    beginning: Sequence[StoredLine]
    left_out: int
    levels: tuple[Choice, ...]
    earlier: str | None
    latest: str
    fragment: str
    download: str
    line: str
    last: int
    is_end: bool  # whether the last line there is stands among them, or none
    is_narrowed: bool
    text: str
    hidden: tuple[tuple[str, str], ...]


def read_text(text: str) -> str | None:
    """Return what an address looks for in a log; None if it is nothing."""
    return text.strip()[:MAX_TEXT] or None


def log_part(read: LogData) -> LogPart:
    task_id, window, found = read.task.id, read.window, read.log
    has_more = len(found) > LOG_LINES
    follows = window.after is not None
    lines = found[:LOG_LINES] if follows else found[-LOG_LINES:]
    is_cut_above = has_more and not follows
    return LogPart(
        attempt=window.attempt or read.task.attempt,
        lines=lines,
        beginning=[line for line in read.beginning if line.n < lines[0].n],
        left_out=read.left_out,
        levels=_levels(task_id, window),
        earlier=_href(task_id, window, lines[0].n) if is_cut_above else None,
        latest=_href(task_id, window),
        fragment=f"/tasks/{task_id}/log",
        download=_address(f"/tasks/{task_id}/log.txt", window),
        line=f"/tasks/{task_id}?attempt={window.attempt or read.task.attempt}&line=",
        last=max((line.n for line in lines if not line.is_open), default=0),
        is_end=window.before is None and not (has_more and follows),
        is_narrowed=window.is_narrowed,
        text=window.text or "",
        hidden=tuple(_given(replace(window, text=None))),
    )


def _levels(task_id: str, window: LogWindow) -> tuple[Choice, ...]:
    choices: tuple[tuple[Level | None, str], ...] = (
        (None, _("all levels")),
        ("DEBUG", _("from DEBUG")),
        ("INFO", _("from INFO")),
        ("WARNING", _("warnings and above")),
        ("ERROR", _("errors")),
    )
    return tuple(
        Choice(words, _href(task_id, replace(window, level=level)), window.level == level)
        for level, words in choices
    )


def _href(task_id: str, window: LogWindow, before: int | None = None) -> str:
    return f"{_address(f'/tasks/{task_id}', window, before)}#log"


def _address(path: str, window: LogWindow, before: int | None = None) -> str:
    at = [] if before is None else [("before", str(before))]
    return address(path, [*_given(window), *at])


def _given(window: LogWindow) -> list[tuple[str, str]]:
    given = {"attempt": window.attempt, "level": window.level, "find": window.text}
    return [(name, str(value)) for name, value in given.items() if value is not None]
