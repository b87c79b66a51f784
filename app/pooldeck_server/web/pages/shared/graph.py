"""The graph of what comes after what: the steps of a pipeline, or the tasks around one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.tasks.dependencies import RelatedTask, RelatedTasks, Rule
from pooldeck_server.domain.tasks.pipelines import StepReport, StoredPipeline
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.shared.address import address
from pooldeck_server.web.pages.shared.layers import HEIGHT, WIDTH, PlacedBox, layout
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, ngettext
from pooldeck_server.web.text.states import state_word

_SHOWN: Final = 20  # characters of a box's first line
_BAR: Final = WIDTH - 24  # pixels
_WORST_FIRST: Final = (
    State.RUNNING,
    State.QUEUED,
    State.SCHEDULED,
    State.FAILED,
    State.LOST,
    State.CANCELLED,
    State.SUCCEEDED,
)
"""Which state a step is shown in: what still goes on, else what went wrong."""


@dataclass(frozen=True)
class StateShare:
    """A part of the bar of a step that is many tasks."""

    state: State
    x: float
    width: float


@dataclass(frozen=True)
class StepBox:
    """A step or a task; `words` say it all to those who do not see the drawing."""

    name: str
    title: str
    detail: str
    state: State
    words: str
    href: str
    place: PlacedBox
    is_here: bool = False
    bar: tuple[StateShare, ...] = ()  # of a step that is many tasks


@dataclass(frozen=True)
class Arrow:
    """A way between two boxes; one that is not stopped by a failure looks different."""

    d: str
    is_strict: bool


@dataclass(frozen=True)
class Graph:
    """A drawing in pixels; each of its boxes has the size `box`, width by height."""

    width: float
    height: float
    boxes: tuple[StepBox, ...]
    arrows: tuple[Arrow, ...]
    box: tuple[int, int] = (WIDTH, HEIGHT)


def pipeline_name(pipeline: StoredPipeline) -> str:
    return pipeline.name or " → ".join(report.step.name for report in pipeline.steps[:4])


def pipeline_graph(pipeline: StoredPipeline, here: str | None = None) -> Graph:
    """Return the steps of a pipeline as a drawing; `here` is the name of one to be marked."""
    steps = {report.step.name: report for report in pipeline.steps}
    rules = {
        (need.step, name): need.rule for name, each in steps.items() for need in each.step.needs
    }
    needs = {name: [need.step for need in each.step.needs] for name, each in steps.items()}
    placed = layout(needs)
    boxes = (
        _step_box(pipeline.id, report, placed.boxes[name], is_here=name == here)
        for name, report in steps.items()
    )
    arrows = (Arrow(way.d, rules[way.start, way.end] is Rule.STOP) for way in placed.ways)
    return Graph(placed.width, placed.height, tuple(boxes), tuple(arrows))


def _step_box(pipeline: str, report: StepReport, place: PlacedBox, *, is_here: bool) -> StepBox:
    step = report.step
    state = step_state(report.counts)
    how_far = step_words(report)
    return StepBox(
        name=step.name,
        title=_cut(step.name),
        detail=how_far if step.is_fan else _cut(formats.short_name(step.function)),
        state=state,
        words=f"{step.name}: {step.function}, {how_far}",
        href=step_href(pipeline, report),
        place=place,
        is_here=is_here,
        bar=tuple(_bar(report.counts)) if step.is_fan else (),
    )


def step_state(counts: Mapping[State, int]) -> State:
    """Return the state that a step is shown in; one of an empty list has succeeded."""
    return next((state for state in _WORST_FIRST if counts.get(state)), State.SUCCEEDED)


def step_words(report: StepReport) -> str:
    """Return how far a step is: its state, or how many of its tasks are in which."""
    number = sum(report.counts.values())
    if not number:
        return _("an empty list")
    state = step_state(report.counts)
    if not report.step.is_fan:
        return state_word(state)
    if report.task is not None and state is State.SCHEDULED:
        return _("one for each item")
    done = report.counts.get(State.SUCCEEDED, 0)
    if done == number:
        return ngettext("%(num)s item", "all %(num)s items", number)
    parts = [_("%(done)s of %(all)s", done=formats.count(done), all=formats.count(number))]
    bad = (State.FAILED, State.LOST, State.CANCELLED)
    parts += [
        f"{formats.count(report.counts[state])} {state_word(state)}"
        for state in bad
        if report.counts.get(state)
    ]
    return ", ".join(parts)


def step_href(pipeline: str, report: StepReport) -> str:
    """Return where to look at a step: its task, or the list of its tasks."""
    if report.task is not None:
        return f"/tasks/{report.task}"
    return address("/tasks", [("pipeline", pipeline), ("function", report.step.function)])


def _bar(counts: Mapping[State, int]) -> Iterable[StateShare]:
    number, x = sum(counts.values()), 0.0
    for state in reversed(_WORST_FIRST):
        if number and (n := counts.get(state, 0)):
            width = _BAR * n / number
            yield StateShare(state, round(x, 1), round(width, 1))
            x += width


def neighbours_graph(task: StoredTask, around: RelatedTasks) -> Graph | None:
    """Return the tasks around one as a drawing; None where nothing is before or after it."""
    if not around.before and not around.after:
        return None
    before = [each.id for each in around.before]
    needs: dict[str, Sequence[str]] = dict.fromkeys(before, ())
    needs |= {task.id: before} | {each.id: (task.id,) for each in around.after}
    placed = layout(needs)
    rules = {(each.id, task.id): each.rule for each in around.before}
    rules |= {(task.id, each.id): each.rule for each in around.after}
    here = RelatedTask(task.id, task.function, task.state, Rule.STOP)
    boxes = (
        _task_box(each, placed.boxes[each.id], is_here=each is here)
        for each in (*around.before, here, *around.after)
    )
    arrows = (Arrow(way.d, rules[way.start, way.end] is Rule.STOP) for way in placed.ways)
    return Graph(placed.width, placed.height, tuple(boxes), tuple(arrows))


def _task_box(task: RelatedTask, place: PlacedBox, *, is_here: bool) -> StepBox:
    word = state_word(task.state)
    return StepBox(
        name=task.id,
        title=_cut(formats.short_name(task.function)),
        detail=_("this task") if is_here else word,
        state=task.state,
        words=f"{task.function}, {word}",
        href=f"/tasks/{task.id}",
        place=place,
        is_here=is_here,
    )


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
