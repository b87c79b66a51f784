"""Changes what a task that has not started will do.

It asks what a submission is asked, and its answer counts: a claim takes a task as it was read, or
not at all, so either what was answered here is what runs, or the change was refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from pooldeck_server.domain.actions import AT_ONCE, Action, Deed
from pooldeck_server.domain.clock import SECOND, micros, span
from pooldeck_server.domain.errors import BadArguments, Conflict, InvalidRequest, TooLarge
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.functions.placements import AUTO
from pooldeck_server.domain.functions.signature import REDACTED
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.edits import EditableTask, TaskEdit
from pooldeck_server.domain.tasks.references import holds_item, names_in
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.tasks.control import TaskControl
from pooldeck_server.store import queries, records
from pooldeck_server.store.transaction import Transaction

_LOOKS: Final = 5
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, eq=False)
class TaskEditing:
    """Changes tasks that are queued or scheduled, and that no worker has."""

    tasks: TaskControl
    arguments_bytes: int  # that those of a task may take

    async def edit(self, task_id: str, wanted: TaskEdit) -> StoredTask:
        """Change a task that has not started, and return it as it is then.

        Raises:
            NotFound: If there is no such task.
            Conflict: If it has started or ended, or waits for others and may not be changed so.
            PooldeckError: If it could not have been submitted as it would be.
        """
        control = self.tasks
        for _ in range(_LOOKS):
            found = await control.reader.run(queries.editable, task_id)
            if found is None:
                return await control.get(task_id)  # which raises, and says what is known of it
            _check_state(found)
            queue = control.queues.get(found.pool)
            if found.claimed and queue is not None:
                await queue.let_go(found.seq)
                continue
            edited = self._edited(found, wanted)
            if edited == found or await self._write(found, edited, wanted.reason):
                return await control.get(task_id)
        raise Conflict(f"task {task_id} is on its way to a worker: it is not changed any more")

    async def _write(self, found: EditableTask, edited: EditableTask, reason: str | None) -> bool:
        """Write a change and who made it; return whether the task was still as it was found."""
        control = self.tasks
        before, after = self._said(found, edited)
        action = acting.action(
            *(control.clock.now(), Deed.EDIT, "task", found.id),
            before=before,
            after=after,
            reason=reason,
        )
        write = partial(_record, found=found, edited=edited, action=action)
        return await control.recorder.perform(write) is not None

    # What it becomes.

    def _edited(self, found: EditableTask, wanted: TaskEdit) -> EditableTask:
        """Return what a task becomes.

        Raises:
            PooldeckError: If it may not become that.
        """
        edited = found
        if wanted.priority is not UNSET:
            edited = replace(edited, priority=wanted.priority)
        if wanted.sets_time:
            edited = self._at_its_time(edited, wanted)
        if wanted.pool is not UNSET:
            edited = self._in_pool(edited, wanted.pool)
        if wanted.sets_arguments:
            edited = self._with_arguments(edited, wanted)
        elif edited.pool != found.pool:
            self._check_arguments(edited)
        if edited.state is State.QUEUED and (found.pool, found.state) != (
            edited.pool,
            State.QUEUED,
        ):
            self.tasks.intake.check_room(edited.pool, 1)
        return edited

    def _at_its_time(self, task: EditableTask, wanted: TaskEdit) -> EditableTask:
        if task.is_awaiting:
            raise Conflict(
                f"task {task.id} comes after tasks that have not ended: it runs when they have, "
                "and its time cannot be changed before"
            )
        now = self.tasks.clock.now()
        run_at = now
        if wanted.delay is not UNSET:
            run_at += span(wanted.delay)
        elif isinstance(wanted.run_at, datetime):
            run_at = micros(wanted.run_at)
        if run_at > now:
            return replace(task, state=State.SCHEDULED, run_at=run_at)
        is_due = task.state is State.QUEUED
        return task if is_due else replace(task, state=State.QUEUED, run_at=now)

    def _in_pool(self, task: EditableTask, pool: str) -> EditableTask:
        function = self._function(task)
        if pool == AUTO:
            return replace(task, pool=function.pool, placed=function.placed_text)
        self.tasks.intake.checks.check_pool(pool)
        self.tasks.intake.checks.check_shares(function, pool)
        return task if pool == task.pool else replace(task, pool=pool, placed=None)

    def _with_arguments(self, task: EditableTask, wanted: TaskEdit) -> EditableTask:
        if task.is_fan:
            raise Conflict(
                f"task {task.id} stands for all items of a list that is not known yet: its "
                "arguments cannot be changed"
            )
        args = task.args if wanted.args is UNSET else bytes(wanted.args).decode()
        kwargs = task.kwargs if wanted.kwargs is UNSET else bytes(wanted.kwargs).decode()
        size, most = len(args.encode()) + len(kwargs.encode()), self.arguments_bytes
        if size > most:
            raise TooLarge(
                f"the arguments would take {size} bytes; a task may have {most}", field="/args"
            )
        values = _decode(args), _decode(kwargs)
        function = self._function(task)
        _check_references(task, values)
        edited = replace(task, args=args, kwargs=kwargs)
        self._check_arguments(edited)
        shown_args, shown_kwargs = function.redact(*values) or (None, None)
        _check_not_redacted(wanted, (args, kwargs), (shown_args, shown_kwargs))
        return replace(edited, shown_args=shown_args, shown_kwargs=shown_kwargs)

    def _check_arguments(self, task: EditableTask) -> None:
        """Find out whether the arguments fit what the workers of its pool have loaded."""
        values = _decode(task.args), _decode(task.kwargs)
        self._function(task).check(*values, pool=task.pool, with_references=task.is_awaiting)

    def _function(self, task: EditableTask) -> RegisteredFunction:
        return self.tasks.intake.checks.wanted(task.function)

    # What is said of it.

    def _said(
        self, found: EditableTask, edited: EditableTask
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what was changed, by name: of arguments their names alone.

        The log of actions outlives its tasks, and arguments are to be gone with them.
        """
        before: dict[str, Any] = {}
        after: dict[str, Any] = {}
        for name in ("priority", "pool"):
            old, new = getattr(found, name), getattr(edited, name)
            if old != new:
                before[name], after[name] = old, new
        if (found.run_at, found.state) != (edited.run_at, edited.state):
            before["run_at"], after["run_at"] = _time(found), _time(edited)
        if (found.args, found.kwargs) != (edited.args, edited.kwargs):
            after["arguments"] = list(self._changed_arguments(found, edited))
        return before, after

    def _changed_arguments(self, found: EditableTask, edited: EditableTask) -> Iterator[str]:
        names = [each.name for each in self._function(edited).spec.parameters]
        old, new = (dict(enumerate(_decode(each.args))) for each in (found, edited))
        for place in sorted(old.keys() | new.keys()):
            if place not in old or place not in new or old[place] != new[place]:
                yield names[place] if place < len(names) else str(place + 1)
        old, new = _decode(found.kwargs), _decode(edited.kwargs)
        for name in dict.fromkeys([*old, *new]):
            if name not in old or name not in new or old[name] != new[name]:
                yield str(name)


def _record(
    transaction: Transaction, found: EditableTask, edited: EditableTask, action: Action
) -> TaskChanged | None:
    move = records.edit(transaction, found, edited)
    if move is not None:
        records.act(transaction, action, [move.seq])
    return move


def _check_state(task: EditableTask) -> None:
    if task.state in FINAL:
        raise Conflict(
            f"task {task.id} is {task.state}: it has ended, and is not changed any more. Submit it "
            "anew with what it should have had"
        )
    if task.state is State.RUNNING:
        raise Conflict(f"task {task.id} runs already: only what has not started can be changed")


def _check_references(task: EditableTask, values: tuple[Any, Any]) -> None:
    """Refuse references to results that a task does not wait for."""
    if holds_item(list(values)):
        raise InvalidRequest("$item: only a step of a pipeline goes over a list", field="/args")
    for name in names_in(list(values)):
        if name not in task.needs:
            raise InvalidRequest(
                f'$result: task {task.id} does not wait for "{name[:100]}". What a task comes '
                "after is said when it is submitted: cancel it and submit it anew",
                field="/args",
            )


def _check_not_redacted(
    wanted: TaskEdit, given: tuple[str, str], shown: tuple[str | None, str | None]
) -> None:
    """Refuse what stands in place of sensitive values where these should be."""
    for name, text, redacted in zip(("args", "kwargs"), given, shown, strict=True):
        if redacted is None or getattr(wanted, name) is UNSET:
            continue
        values, hidden = _decode(text), _decode(redacted)
        pairs = values.items() if isinstance(values, dict) else enumerate(values)
        for key, value in pairs:
            if value == REDACTED and hidden[key] == REDACTED:
                raise BadArguments(
                    f'{name}: "{REDACTED}" only stands for a sensitive value; give the value '
                    "itself",
                    argument=str(key) if name == "kwargs" else None,
                )


def _time(task: EditableTask) -> str | None:
    if task.state is State.QUEUED:
        return AT_ONCE
    moment = datetime.fromtimestamp((task.run_at or 0) / SECOND, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
