"""The page of one task: its outcome, the way there, its log, and what can be done with it."""

from dataclasses import dataclass

import msgspec

from pooldeck.functions import RunOptions
from pooldeck.outcome import Error, Measurement
from pooldeck_server.domain.pools.health import SlotHealth
from pooldeck_server.domain.tasks.attempt import StoredAttempt
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.json_text import JsonText, json_text
from pooldeck_server.web.pages.shared.rendering import Fragment, Page
from pooldeck_server.web.pages.shared.tracebacks import Part, causes
from pooldeck_server.web.pages.task.data import TaskData
from pooldeck_server.web.pages.task.diagram import TALL, WIDE, Diagram, diagram
from pooldeck_server.web.pages.task.journey import Journey, journey
from pooldeck_server.web.pages.task.links import Links, links
from pooldeck_server.web.pages.task.log import LogPart, log_part
from pooldeck_server.web.pages.task.runs import RunStrip, strip
from pooldeck_server.web.pages.task.times import Segment, segments
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.kill_questions import kill_button
from pooldeck_server.web.text.placement import placed_words


@dataclass(frozen=True)
class AttemptRow:
    """An attempt in the list of them; errors outermost first."""

    attempt: StoredAttempt
    errors: tuple[Error, ...]
    is_shown: bool  # its log is the one on the page


@dataclass(frozen=True)
class Value:
    """An argument list or the result: `name` is the field that a program would ask for."""

    name: str
    label: str
    text: JsonText


@dataclass(frozen=True)
class TaskView(Page):
    """A task; `is_asked`: it was asked to end itself."""

    template = "task/page.html"
    section = "tasks"
    flashes = FLASHES["task"]

    read: TaskData
    task: StoredTask
    options: RunOptions
    placed: str
    is_final: bool
    way: Journey
    diagrams: tuple[Diagram, ...]
    segments: tuple[Segment, ...]
    measurement: Measurement | None
    links: Links
    errors: tuple[Error, ...]
    arguments: tuple[Value, ...]
    result: Value | None
    attempts: tuple[AttemptRow, ...]
    runs: RunStrip | None
    log: LogPart
    can_cancel: bool
    can_retry: bool
    is_asked: bool
    kill_button: str
    is_callable: bool


@dataclass(frozen=True)
class LogFragment(Fragment):
    """Lines of a log alone, for a page that has the rest of it."""

    template = "task/log_lines.html"

    log: LogPart


@dataclass(frozen=True)
class StackView(Page):
    """Where a running task is."""

    template = "task/stack.html"
    section = "tasks"

    task: StoredTask
    parts: tuple[Part, ...]


def task_view(read: TaskData, *, slot: SlotHealth | None, is_callable: bool, now: int) -> TaskView:
    task, log = read.task, log_part(read)
    measured = task.measurement and msgspec.json.decode(task.measurement, type=Measurement)
    ended = sum(each.state in FINAL for each in read.attempts)
    way = journey(task, max(0, ended - (task.state in FINAL)), now)
    return TaskView(
        read=read,
        task=task,
        options=RunOptions.from_json(task.options),
        placed=placed_words(task.placed),
        is_final=task.state in FINAL,
        way=way,
        diagrams=(diagram(way, WIDE), diagram(way, TALL)),
        segments=segments(task, measured or None, now),
        measurement=measured or None,
        links=links(task, read.around, read.pipeline),
        errors=causes(task.error),
        arguments=_arguments(task),
        result=_value("result", "", task.result),
        attempts=tuple(
            AttemptRow(each, causes(each.error), is_shown=each.attempt == log.attempt)
            for each in reversed(read.attempts)
        ),
        runs=strip(task, read.runs, read.durations, now),
        log=log,
        can_cancel=task.state in {State.QUEUED, State.SCHEDULED},
        can_retry=task.state in FINAL and is_callable and not read.are_erased,
        is_asked=slot is not None and slot.cancel_requested,
        kill_button=kill_button(slot.if_killed if slot else None),
        is_callable=is_callable,
    )


def _arguments(task: StoredTask) -> tuple[Value, ...]:
    both = (
        _value("args", _("in order"), None if task.args == "[]" else task.args),
        _value("kwargs", _("by name"), None if task.kwargs == "{}" else task.kwargs),
    )
    return tuple(value for value in both if value is not None)


def _value(name: str, label: str, text: str | None) -> Value | None:
    return None if text is None else Value(name, label, json_text(text))
