"""Pipelines: steps that refer to each other by name, and the tasks that they become."""

from collections import Counter
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.dependencies import Dependency, DependentTask, Rule
from pooldeck_server.domain.tasks.names import MAX_NAME_LENGTH, PRINTABLE, Name
from pooldeck_server.domain.tasks.references import ITEM, RESULT, holds_item, names_in, result_named
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import Submission

MAX_STEPS: Final = 200
MAX_EDGES: Final = 100_000
"""The most edges of a pipeline: each is a row, read when the task that needs it is released."""

Label: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_NAME_LENGTH,
        pattern=PRINTABLE,
        description="For people, to find it by.",
    ),
]
Each: TypeAlias = Annotated[
    Raw,
    Meta(
        description=(
            'What the step goes over, one task for each item: a list, or {"$result": "a step"} '
            'whose result is a list. In its arguments, {"$item": true} stands for the item.'
        ),
        examples=[["a.txt", "b.txt"], {"$result": "fetch"}],
        extra_json_schema={"type": ["array", "object"]},
    ),
]

_decode = msgspec.json.Decoder().decode
_items = msgspec.json.Decoder(tuple[Raw, ...]).decode


class Step(Submission, frozen=True, forbid_unknown_fields=True):
    """A step of a pipeline: a submission whose `after` and references name other steps."""

    each: Each | UnsetType = UNSET

    @property
    def may_come_after(self) -> bool:
        """Tell that its arguments may hold references: the plan knows which."""
        return True


class PipelineRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A pipeline to run: all of its tasks are stored, or none."""

    tasks: Annotated[dict[Name, Step], Meta(min_length=1, max_length=MAX_STEPS)]
    name: Label | None = None


class Dependencies(Struct, frozen=True):
    """What is stored beside tasks that hang together with others."""

    tasks: tuple[DependentTask, ...]
    needs: tuple[Dependency, ...]
    pipeline: "PlannedPipeline | None" = None

    def of(self, seqs: Iterable[int]) -> "Dependencies":
        """Return what ties these tasks to others, without the rest."""
        wanted = frozenset(seqs)
        return Dependencies(
            tuple(task for task in self.tasks if task.seq in wanted),
            tuple(need for need in self.needs if need.seq in wanted),
            self.pipeline,
        )


class StepNeed(Struct, frozen=True):
    """A step comes after this one."""

    step: str
    rule: Rule


class PlannedStep(Struct, frozen=True):
    """A step, with what it needs in the order of their names in its body.

    It may become a task for each of some `items`, or of a list that is not known yet: `each` is
    the reference to it.
    """

    name: str
    step: Step
    args: Any
    kwargs: Any
    needs: tuple[StepNeed, ...]
    items: tuple[Raw, ...] | None = None
    each: Raw | None = None

    @property
    def is_fan(self) -> bool:
        return self.items is not None or self.each is not None


class StoredStep(Struct, frozen=True):
    """A step as it is kept for those who look.

    `number` is how many tasks it was submitted as; None where an earlier version did not say.
    """

    name: str
    function: str
    pool: str
    needs: tuple[StepNeed, ...] = ()
    is_fan: bool = False
    number: int | None = None

    @property
    def never_had_tasks(self) -> bool:
        """Tell whether it goes over a list that was given, and was empty."""
        return self.number == 0 or (self.number is None and self.is_fan and not self.pool)


class PlannedPipeline(Struct, frozen=True):
    """A pipeline as it is stored."""

    id: str
    name: str | None
    created_at: int  # microseconds since the epoch
    steps: tuple[StoredStep, ...] = ()
    idempotency_key: str | None = None
    fingerprint: str | None = None  # of the body, to tell a repeated key from a reused one


class StepReport(Struct, frozen=True):
    """How far a step is: its tasks by state, and the only one, or the one that stands for all."""

    step: StoredStep
    counts: dict[State, int]
    task: str | None  # None where it has become several, or an empty list


PipelineState: TypeAlias = Literal["running", "succeeded", "failed", "cancelled"]
"""`failed` where a task failed or was lost, else `cancelled` where one was cancelled."""


class StoredPipeline(Struct, frozen=True):
    """A pipeline and how far it is."""

    id: str
    name: str | None
    created_at: int
    steps: tuple[StepReport, ...]

    @property
    def counts(self) -> dict[State, int]:
        total: Counter[State] = Counter()
        for step in self.steps:
            total.update(step.counts)
        return dict(total)

    @property
    def state(self) -> PipelineState:
        counts = self.counts
        if any(counts.get(state) for state in (State.SCHEDULED, State.QUEUED, State.RUNNING)):
            return "running"
        if counts.get(State.FAILED) or counts.get(State.LOST):
            return "failed"
        return "cancelled" if counts.get(State.CANCELLED) else "succeeded"


class PipelinePage(Struct, frozen=True):
    """One page of the list of pipelines; `next_cursor` continues it, None at the end."""

    items: tuple[StoredPipeline, ...]
    next_cursor: str | None


def planned(request: PipelineRequest) -> list[PlannedStep]:
    """Return the steps of a pipeline, each after those that it needs.

    Raises:
        InvalidRequest: If a step refers to itself, to one that does not exist, or in a circle;
            `field` points to it.
    """
    plans = {name: _plan(name, step) for name, step in request.tasks.items()}
    for plan in plans.values():
        _check_needs(plan, plans)
    needs = {name: [need.step for need in plan.needs] for name, plan in plans.items()}
    try:
        return [plans[name] for name in TopologicalSorter(needs).static_order()]
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise InvalidRequest(
            f"tasks: these wait for each other in a circle: {circle}", field="/tasks"
        ) from None


def _plan(name: str, step: Step) -> PlannedStep:
    if step.idempotency_key is not None:
        pointer = step_pointer(name, "idempotency_key")
        raise InvalidRequest("idempotency_key: a step of a pipeline has none", field=pointer)
    args, kwargs = _decode(bytes(step.args)), _decode(bytes(step.kwargs))
    each = None if step.each is UNSET else step.each
    goes_over = None if each is None else _decode(bytes(each))
    _check_each(name, each, goes_over, [args, kwargs])
    needs = _needs(name, step, [args, kwargs, goes_over])
    if each is not None and isinstance(goes_over, list):
        return PlannedStep(name, step, args, kwargs, needs, items=_items(bytes(each)))
    return PlannedStep(name, step, args, kwargs, needs, each=each)


def _needs(name: str, step: Step, values: list[Any]) -> tuple[StepNeed, ...]:
    rules = {need.task: need.on_failure or step.on_failure for need in step.comes_after}
    try:
        for referred in names_in(values):
            rules.setdefault(referred, step.on_failure)
    except InvalidRequest as error:
        error.extra["field"] = step_pointer(name)
        raise
    return tuple(StepNeed(other, rule) for other, rule in rules.items())


def _check_each(name: str, each: Raw | None, goes_over: Any, values: list[Any]) -> None:
    if each is None:
        if holds_item(values):
            raise InvalidRequest(
                f'{name}: {{"{ITEM}": true}} stands for an item of "each", which is not given',
                field=step_pointer(name),
            )
    elif not isinstance(goes_over, list) and result_named(goes_over) is None:
        raise InvalidRequest(
            f'{name}: each: expected a list, or {{"{RESULT}": "another step"}}',
            field=step_pointer(name, "each"),
        )


def _check_needs(plan: PlannedStep, plans: Mapping[str, PlannedStep]) -> None:
    for need in plan.needs:
        if need.step == plan.name:
            raise InvalidRequest(f"{plan.name}: it refers to itself", field=step_pointer(plan.name))
        if need.step not in plans:
            raise InvalidRequest(
                f'{plan.name}: it refers to "{need.step}", which is no step of this pipeline; '
                f"there are: {', '.join(plans)}",
                field=step_pointer(plan.name),
            )


def step_pointer(name: str, field: str = "") -> str:
    pointer = "/tasks/" + name.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{field}" if field else pointer
