"""The page of one task: its outcome, the way there, its log, and what can be done with it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from pooldeck.functions import RunOptions
from pooldeck.outcome import Error, ErrorKind, Measurement
from pooldeck_server.domain.pools.health import SlotHealth
from pooldeck_server.domain.pools.hosts import HostHealth, host_of
from pooldeck_server.domain.tasks.attempt import StoredAttempt
from pooldeck_server.domain.tasks.log import StoredLine
from pooldeck_server.domain.tasks.reruns import most_reruns
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.domain.tasks.waiting import TaskWait
from pooldeck_server.web.pages.shared.actions import ActionRow, action_row
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.rendering import Fragment, Page
from pooldeck_server.web.pages.shared.snippets import Snippets
from pooldeck_server.web.pages.shared.tracebacks import causes
from pooldeck_server.web.pages.shared.values import Value, arguments_of, value_of
from pooldeck_server.web.pages.task.data import TaskData
from pooldeck_server.web.pages.task.journey import Journey, journey
from pooldeck_server.web.pages.task.links import Links, links
from pooldeck_server.web.pages.task.log import LogPart, log_part
from pooldeck_server.web.pages.task.runs import RunStrip, strip
from pooldeck_server.web.pages.task.times import Segment, segments
from pooldeck_server.web.pages.task.waiting import WaitingBlock, waiting_block
from pooldeck_server.web.text.hosts import task_words
from pooldeck_server.web.text.kill_questions import kill_button
from pooldeck_server.web.text.placement import placed_words

_LAST_LINES: Final = 5  # of a log, beside the error that they lead to
_CUT_OFF: Final = frozenset(
    {ErrorKind.CRASHED, ErrorKind.BYSTANDER, ErrorKind.INTERRUPTED, ErrorKind.HOST_LOST}
)


@dataclass(frozen=True)
class AttemptRow:
    """An attempt in the list of them; errors outermost first."""

    attempt: StoredAttempt
    errors: tuple[Error, ...]
    is_shown: bool  # its log is the one on the page


@dataclass(frozen=True)
class TaskView(Page):
    """A task; `is_asked`: it was asked to end itself.

    `may_lack_words`: it was cut off with its process, so that its log may lack its last words.
    `most_reruns` may follow its ends, after failures only as many as its `retries`.
    `host_words` say how surely it is known that it runs on its host.
    `last_lines` are those before the error; `log_problem` is what is wrong with the part of the
    log that was asked for.
    """

    template = "task/page.html"
    section = "tasks"
    flashes = FLASHES["task"]

    read: TaskData
    task: StoredTask
    options: RunOptions
    most_reruns: int
    placed: str
    host: str | None
    host_words: str
    is_final: bool
    waiting: WaitingBlock | None
    way: Journey
    actions: tuple[ActionRow, ...]
    segments: tuple[Segment, ...]
    measurement: Measurement | None
    links: Links
    errors: tuple[Error, ...]
    arguments: tuple[Value, ...]
    result: Value | None
    returned_none: bool
    attempts: tuple[AttemptRow, ...]
    runs: RunStrip | None
    log: LogPart
    log_problem: str
    last_lines: Sequence[StoredLine]
    may_lack_words: bool
    log_of_worker: str | None
    can_cancel: bool
    can_retry: bool
    is_asked: bool
    kill_button: str
    is_callable: bool
    expires_at: int | None
    snippets: tuple[Snippets, ...]


@dataclass(frozen=True)
class LogFragment(Fragment):
    """Lines of a log alone, for a page that has the rest of it."""

    template = "task/log_lines.html"

    log: LogPart


@dataclass(frozen=True)
class StackView(Page):
    """Where a running task is; `no_contact`: its host is not heard of, so that nobody can tell."""

    template = "task/stack.html"
    section = "tasks"

    task: StoredTask
    text: str
    no_contact: bool


def task_view(
    read: TaskData,
    *,
    slot: SlotHealth | None,
    is_callable: bool,
    now: int,
    waiting: TaskWait | None = None,
    host: HostHealth | None = None,
    expires_at: int | None = None,
    log_problem: str = "",
    snippets: tuple[Snippets, ...] = (),
) -> TaskView:
    task, log = read.task, log_part(read)
    options = RunOptions.from_json(task.options)
    measured = _measurement(task.measurement)
    ended = sum(each.state in FINAL for each in read.attempts)
    way = journey(task, max(0, ended - (task.state in FINAL)), now)
    return TaskView(
        read=read,
        task=task,
        options=options,
        most_reruns=most_reruns(options),
        placed=placed_words(task.placed),
        host=host_of(task.worker),
        host_words=task_words(host) if task.state is State.RUNNING else "",
        is_final=task.state in FINAL,
        waiting=waiting_block(waiting),
        way=way,
        actions=tuple(map(action_row, read.actions)),
        segments=segments(task, measured, now),
        measurement=measured,
        links=links(task, read.around, read.pipeline),
        errors=causes(task.error),
        arguments=arguments_of(task),
        result=value_of("result", "", task.result),
        returned_none=task.result == "null",
        attempts=tuple(
            AttemptRow(each, causes(each.error), is_shown=each.attempt == log.attempt)
            for each in reversed(read.attempts)
        ),
        runs=strip(task, read.runs, read.durations, now),
        log=log,
        log_problem=log_problem,
        last_lines=_last_lines(task, log),
        may_lack_words=_may_lack_words(read),
        log_of_worker=read.log_of_worker,
        can_cancel=task.state in {State.QUEUED, State.SCHEDULED},
        can_retry=task.state in FINAL and is_callable and not read.are_erased,
        is_asked=slot is not None and slot.cancel_requested,
        kill_button=kill_button(slot.if_killed if slot else None),
        is_callable=is_callable,
        expires_at=expires_at,
        snippets=snippets,
    )


def _last_lines(task: StoredTask, log: LogPart) -> Sequence[StoredLine]:
    """Return the end of the log of an attempt that failed, where that is what is shown of it."""
    is_of_error = task.error is not None and log.attempt == task.attempt
    return log.lines[-_LAST_LINES:] if is_of_error and log.is_end and not log.is_narrowed else ()


def _may_lack_words(read: TaskData) -> bool:
    """Tell whether the attempt whose log is shown ended with its worker's process."""
    shown = read.shown
    if shown.started_at is None:
        return False
    if shown.error_kind == ErrorKind.TIMEOUT:
        return shown.thread is None  # a thread is left to itself
    was_killed = (
        shown.attempt == read.task.attempt
        and shown.state is State.CANCELLED
        and read.kill is not None
    )
    return was_killed or shown.error_kind in _CUT_OFF


def _measurement(text: str | None) -> Measurement | None:
    """Return what a run cost; earlier versions have kept numbers that cannot be."""
    with suppress(msgspec.ValidationError):
        return None if text is None else msgspec.json.decode(text, type=Measurement)
    return None
