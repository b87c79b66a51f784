"""Pipelines as the API shows them."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from pooldeck_server.domain.tasks import pipelines as domain
from pooldeck_server.domain.tasks.dependencies import Rule
from pooldeck_server.domain.tasks.pipelines import PipelineState, StepReport
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.api.schemas.types import TaskId, Timestamp, shown, timestamp


class NewPipeline(Struct, frozen=True):
    """A pipeline that was stored: its id, and those of the tasks of each step.

    A step that goes over a list which is not known yet has one task: it becomes that of the first
    item.
    """

    id: TaskId
    tasks: dict[str, tuple[TaskId, ...]]


class StepBefore(Struct, frozen=True):
    """A step that another comes after."""

    step: str
    on_failure: Rule


class PipelineStep(Struct, frozen=True):
    """A step, and how many of its tasks are in each state."""

    name: str
    function: str
    pool: str
    after: tuple[StepBefore, ...]
    each: Annotated[bool, Meta(description="Whether it goes over a list.")]
    counts: dict[State, int]
    task: Annotated[TaskId | None, Meta(description="Its task, where it is only one.")]

    @classmethod
    def of(cls, report: StepReport) -> Self:
        step = report.step
        return shown(
            cls,
            step,
            after=tuple(StepBefore(need.step, need.rule) for need in step.needs),
            each=step.is_fan,
            counts=report.counts,
            task=report.task,
        )


class Pipeline(Struct, frozen=True):
    """A pipeline; its steps stand after those that they need."""

    id: TaskId
    name: str | None
    state: PipelineState
    created_at: Timestamp
    counts: dict[State, int]
    steps: tuple[PipelineStep, ...]

    @classmethod
    def of(cls, pipeline: domain.StoredPipeline) -> Self:
        steps = tuple(PipelineStep.of(step) for step in pipeline.steps)
        return shown(cls, pipeline, created_at=timestamp(pipeline.created_at), steps=steps)


class PipelineList(Struct, frozen=True):
    """A page of pipelines, newest first; `next_cursor` continues it, null at the end."""

    items: tuple[Pipeline, ...]
    next_cursor: str | None
