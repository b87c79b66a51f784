"""Ties submissions to the tasks that they come after, on their way to the store."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.dependencies import (
    Dependency,
    DependentTask,
    Rule,
    StoredDependencies,
)
from pooldeck_server.domain.tasks.pipelines import Dependencies
from pooldeck_server.domain.tasks.references import names_in
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.domain.tasks.task import NewTask, StoredTask
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader

NO_TIES: Final = Dependencies((), ())
_SHOWN: Final = 100  # of those before, by their ids
_decode = msgspec.json.Decoder().decode


async def tie(
    reader: Reader, tasks: Sequence[NewTask], submissions: Sequence[Submission]
) -> tuple[Sequence[NewTask], Dependencies]:
    """Return tasks as they are to be stored, with what ties them to others.

    Raises:
        InvalidRequest: If a submission names a task that does not exist.
    """
    needs = [rules_of(submission) for submission in submissions]
    found = await reader.run(queries.named, sorted({name for each in needs for name in each}))
    numbers = {ref.id: ref.seq for ref in found}
    tied = list(tasks)
    links, edges = [], []
    for place, rules in enumerate(needs):
        if rules:
            _check_known(rules, numbers, {"index": place} if len(tasks) > 1 else {})
            task, submission = tasks[place], submissions[place]
            tied[place] = waiting(task)
            links.append(link_of(task, submission))
            edges += [Dependency(numbers[name], task.seq, name, rules[name]) for name in rules]
    return tied, Dependencies(tuple(links), tuple(edges))


def rules_of(submission: Submission) -> dict[str, Rule]:
    """Return the names that a submission comes after, each with the rule for its failure.

    Raises:
        InvalidRequest: If a reference in its arguments names nothing.
    """
    rules = {need.task: need.on_failure or submission.on_failure for need in submission.comes_after}
    values: list[Any] = [_decode(bytes(text)) for text in (submission.args, submission.kwargs)]
    for name in names_in(values):
        rules.setdefault(name, submission.on_failure)
    return rules


def waiting(task: NewTask) -> NewTask:
    """Return a task as one that waits for others: scheduled, without a time."""
    return replace(task, state=State.SCHEDULED, run_at=None)


def link_of(task: NewTask, submission: Submission) -> DependentTask:
    """Return the link of a task that waits; a delay begins when it waits no more."""
    run_at = None if submission.delay else task.run_at
    return DependentTask(task.seq, delay=submission.delay or None, run_at=run_at)


def shown(task: NewTask, ties: Dependencies) -> StoredTask:
    """Return a task that was stored a moment ago as people see it."""
    stored = task.as_stored()
    if not ties.needs:
        return stored
    after = [need.name for need in ties.needs if need.seq == task.seq]
    shown = StoredDependencies(needs=len(after), after=tuple(after[:_SHOWN]))
    return replace(stored, dependencies=shown)


def _check_known(
    rules: Mapping[str, Rule], numbers: Mapping[str, int], where: Mapping[str, int]
) -> None:
    for name in rules:
        if name not in numbers:
            raise InvalidRequest(f'after: there is no task "{name[:100]}"', field="/after", **where)
