"""The tasks that a pipeline's steps become, with what ties them together."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec import Raw, Struct
from msgspec.structs import replace

from pooldeck_server.domain.errors import InvalidRequest, PooldeckError
from pooldeck_server.domain.tasks.dependencies import Dependency, DependentTask
from pooldeck_server.domain.tasks.pipelines import (
    MAX_EDGES,
    Dependencies,
    PlannedPipeline,
    PlannedStep,
    Step,
    StepNeed,
    StoredStep,
    step_pointer,
)
from pooldeck_server.domain.tasks.references import kept, written
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.runtime.tasks.linking import link_of, waiting


class Draft(Struct, frozen=True):
    """A pipeline that is ready to be stored: its tasks in the order of their numbers."""

    tasks: tuple[NewTask, ...]
    ties: Dependencies
    ids: dict[str, tuple[str, ...]]  # of each step's tasks


@dataclass(kw_only=True, eq=False)
class Drafting:
    """Turns steps into tasks, one step after the other."""

    check: Callable[[Step], NewTask]  # turns a submission into a task, or refuses it
    most: int  # how many tasks a pipeline may have
    _tasks: list[NewTask] = field(init=False, default_factory=list)
    _links: list[DependentTask] = field(init=False, default_factory=list)
    _edges: list[Dependency] = field(init=False, default_factory=list)
    _steps: list[StoredStep] = field(init=False, default_factory=list)
    _of_step: dict[str, list[NewTask]] = field(init=False, default_factory=dict)
    _fans: set[str] = field(init=False, default_factory=set)

    def draft(self, pipeline: PlannedPipeline, plan: Iterable[PlannedStep]) -> Draft:
        """Return the tasks of a pipeline.

        Raises:
            PooldeckError: If a step is refused, or there are too many tasks.
        """
        for step in plan:
            self._add(pipeline, step)
        ties = Dependencies(
            tuple(self._links), tuple(self._edges), replace(pipeline, steps=tuple(self._steps))
        )
        ids = {name: tuple(task.id for task in tasks) for name, tasks in self._of_step.items()}
        return Draft(tuple(self._tasks), ties, ids)

    def _add(self, pipeline: PlannedPipeline, step: PlannedStep) -> None:
        tasks = []
        for place, submission in enumerate(self._submissions(step)):
            if len(self._tasks) == self.most:
                raise InvalidRequest(
                    f"tasks: a pipeline may have {self.most} tasks at most", field="/tasks"
                )
            task = self._checked(step.name, submission)
            item = None if step.items is None else place
            tasks.append(self._tied(pipeline, step, task, item))
            self._tasks.append(tasks[-1])
        self._of_step[step.name] = tasks
        if step.is_fan:
            self._fans.add(step.name)
        self._steps.append(_shown(step, tasks))

    @staticmethod
    def _submissions(step: PlannedStep) -> Iterator[Step]:
        if step.items is None:
            yield step.step
        for item in step.items or ():
            text = bytes(item).decode()
            args, kwargs = (_with_item(value, text) for value in (step.args, step.kwargs))
            yield replace(step.step, args=args, kwargs=kwargs)

    def _checked(self, name: str, submission: Step) -> NewTask:
        try:
            return self.check(submission)
        except PooldeckError as error:
            pointer = step_pointer(name, error.extra.get("field", "/").lstrip("/"))
            raise type(error)(
                f"{name}: {error.detail}",
                retry_after=error.retry_after,
                **error.extra | {"field": pointer, "step": name},
            ) from None

    def _tied(
        self, pipeline: PlannedPipeline, step: PlannedStep, task: NewTask, item: int | None
    ) -> NewTask:
        """Note what ties a task to others; return it as it is stored."""
        link = replace(
            link_of(task, step.step),
            pipeline=pipeline.id,
            step=step.name,
            item=item,
            items=None if step.items is None else len(step.items),
        )
        if not step.needs:
            self._links.append(replace(link, released_at=task.created_at))
            return task
        lists = tuple(need.step for need in step.needs if need.step in self._fans)
        each = None if step.each is None else bytes(step.each).decode()
        self._links.append(replace(link, each=each, lists=lists))
        for need in step.needs:
            self._come_after(task.seq, need)
        return waiting(task)

    def _come_after(self, seq: int, need: StepNeed) -> None:
        before = self._of_step[need.step]
        if len(self._edges) + len(before) > MAX_EDGES:
            raise InvalidRequest(
                f"tasks: more than {MAX_EDGES} times one of its tasks needs another; put a step "
                "between that joins them",
                field="/tasks",
            )
        self._edges += [Dependency(task.seq, seq, need.step, need.rule) for task in before]


def _with_item(value: Any, item: str) -> Raw:
    """Return arguments with the item in them; other references stay as they are."""
    return Raw(written(value, kept, item).encode())


def _shown(step: PlannedStep, tasks: list[NewTask]) -> StoredStep:
    pool = tasks[0].pool if tasks else step.step.pool or ""
    return StoredStep(step.name, step.step.function, pool, step.needs, step.is_fan, len(tasks))
