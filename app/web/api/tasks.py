"""Finding, following and cancelling tasks."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.domain.errors import NotAvailableYet
from app.domain.states import State
from app.domain.tasks import TaskFilter
from app.store import queries
from app.web.answers import READING, WRITING, answer, bad, good, takes
from app.web.bodies import CancelRequest, read_cancel
from app.web.dependencies import DEFAULT_LIMIT, Limit, ServiceDep, TaskIdPath, Wait
from app.web.incoming import json_body, whole_body
from app.web.schemas import Attempt, AttemptList, Cancellation, LogLine, LogLines, Task, TaskList
from pooldeck.outcome import ErrorKind

router = APIRouter(prefix="/tasks", tags=["tasks"])

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FILTERS_AT_ONCE: Final = 50
_Names = Annotated[list[str], Field(max_length=_FILTERS_AT_ONCE)]


class TaskQuery(BaseModel):
    """Filters of the same name add up, different ones narrow."""

    model_config = ConfigDict(extra="forbid")

    state: list[State] = Field(default=[], max_length=len(State))
    function: _Names = []
    pool: _Names = []
    tag: _Names = []
    error: list[ErrorKind] = Field(default=[], max_length=len(ErrorKind))
    q: str | None = Field(
        default=None, max_length=200, description="Looked for in ids, functions and arguments."
    )
    since: AwareDatetime | None = Field(default=None, description="Submitted then or later.")
    until: AwareDatetime | None = Field(default=None, description="Submitted before then.")
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = Field(
        default=None, max_length=200, description="`next_cursor` of the page before."
    )

    def filter(self) -> TaskFilter:
        """Return what the store looks for."""
        return TaskFilter(
            states=tuple(self.state),
            functions=tuple(self.function),
            pools=tuple(self.pool),
            tags=tuple(self.tag),
            errors=tuple(self.error),
            text=self.q or None,
            since=_microseconds(self.since),
            until=_microseconds(self.until),
        )


@router.get("", responses=good(TaskList, "A page of tasks, newest first.") | bad(*READING))
async def list_tasks(service: ServiceDep, query: Annotated[TaskQuery, Query()]) -> Response:
    """List tasks, newest first."""
    page = await service.read(queries.tasks, query.filter(), query.limit, query.cursor)
    return answer(TaskList.of(page))


@router.get("/{task_id}", responses=good(Task, "The task.") | bad(*READING, 404))
async def get_task(service: ServiceDep, task_id: TaskIdPath, wait: Wait = 0.0) -> Response:
    """Return a task; with `wait`, as soon as it has ended or the time is over."""
    return answer(Task.of(await service.wait(task_id, wait)))


@router.post(
    "/{task_id}/cancel",
    responses=good(Cancellation, "What cancelling did.") | bad(*WRITING, 404),
    openapi_extra=takes(CancelRequest, {"kill": False}, required=False),
)
async def cancel_task(request: Request, service: ServiceDep, task_id: TaskIdPath) -> Response:
    """Cancel a task that has not started."""
    body = await (json_body if "content-type" in request.headers else whole_body)(request)
    if read_cancel(body, service.settings.limits).kill:
        raise NotAvailableYet("kill: not available yet; leave it out", field="/kill")
    return answer(Cancellation.of(await service.cancel(task_id)))


@router.get(
    "/{task_id}/attempts", responses=good(AttemptList, "The attempts.") | bad(*READING, 404)
)
async def list_attempts(service: ServiceDep, task_id: TaskIdPath) -> Response:
    """List the attempts of a task, oldest first; none before it is first handed to a worker."""
    task = await service.task(task_id)
    return answer(AttemptList([Attempt.of(task)] if task.attempt else []))


@router.get("/{task_id}/logs", responses=good(LogLines, "Lines of the log.") | bad(*READING, 404))
async def list_log_lines(
    service: ServiceDep,
    task_id: TaskIdPath,
    after: Annotated[int, Query(ge=0, description="`next_after` of the part before.")] = 0,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Return the log of a task's latest attempt, in order."""
    await service.task(task_id)
    entries = await service.read(queries.logs, task_id, after, limit)
    items = [LogLine.of(entry) for entry in entries]
    return answer(LogLines(items, items[-1].n if len(items) == limit else None))


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
