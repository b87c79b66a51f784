"""What a principal may read: the one place that decides it, for the API and the pages alike.

`http.rules` decides who comes to a route at all. Routes that let in those who see only a part ask
here for each value that they show: tasks that are not theirs do not exist for them, and where no
values are shown, arguments, results and messages are left out, and nothing may be searched by them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET
from msgspec.structs import replace
from starlette.requests import Request

from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.access import Principal, Role, fits, fitting
from pooldeck_server.domain.errors import (
    Forbidden,
    IdempotencyMismatch,
    InvalidRequest,
    NotFound,
    UnknownFunction,
)
from pooldeck_server.domain.frames import Frame
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.tasks.attempt import StoredAttempt
from pooldeck_server.domain.tasks.dependencies import StoredDependencies
from pooldeck_server.domain.tasks.edits import TaskEdit
from pooldeck_server.domain.tasks.ends import TaskEnd
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.domain.tasks.waiting import TaskWait
from pooldeck_server.runtime.server import Server
from pooldeck_server.runtime.tasks.linking import rules_of
from pooldeck_server.store import queries
from pooldeck_server.web.http.principals import principal_of

_NOBODY: Final = Principal(name="nobody", role=Role.VIEWER, values=False, functions=("-",))
_HIDDEN: Final = "hidden"  # stands for a message
_NO_NAME: Final = ("",)  # no function or pool is called so
_QUOTES: Final = {
    Need.BROKEN,
    Need.NO_NEW_WORKERS,
    Need.FAILED_MODULE,
    Need.REFUSED_HOST,
    Need.NO_HOST,
}
"""The notices whose reasons are messages of errors."""

A = TypeVar("A", bound=StoredAttempt | TaskEnd)


class Sight:
    """What one principal sees."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.sees_values = principal.values
        self.is_whole = not principal.is_limited

    # Tasks.

    def task(self, task: StoredTask) -> StoredTask:
        """Return a task as it may be shown.

        Raises:
            NotFound: If it is not for the principal: nothing tells it from one that does not exist.
        """
        if self.is_whole and self.sees_values:
            return task
        if not self.principal.may_reach(task.function, task.pool):
            raise NotFound(f"there is no task {task.id}")
        ties = None if task.dependencies is None else self._ties(task.dependencies)
        task = replace(self.attempt(task), dependencies=ties)
        if not self._sees_error(task):
            task = replace(task, error_message=None)
        if self.sees_values:
            return task
        return replace(task, args=None, kwargs=None, progress_message=None, omitted=())

    def attempt(self, attempt: A) -> A:
        """Return an attempt of a task that may be shown, or its end."""
        if not self.sees_values:
            bare = _bare(attempt.error)
            return replace(attempt, result=None, error=bare, error_group=None)
        if not self._sees_error(attempt):
            return replace(attempt, error=_bare(attempt.error))
        return attempt

    def _sees_error(self, attempt: StoredAttempt | TaskEnd) -> bool:
        """Tell whether the message of an error may be shown; a bystander's names the culprit."""
        is_own = self.is_whole or attempt.error_kind != ErrorKind.BYSTANDER
        return self.sees_values and is_own

    def _ties(self, ties: StoredDependencies) -> StoredDependencies:
        if not self.is_whole:
            return StoredDependencies(needs=ties.needs, released_at=ties.released_at)
        return replace(ties, given_args=None, given_kwargs=None)

    def waiting(self, waiting: TaskWait | None) -> TaskWait | None:
        """Return why a task that may be shown waits, as that may be shown."""
        if waiting is None or (self.is_whole and self.sees_values):
            return waiting
        hidden = replace(waiting, why=None)
        if self.is_whole:
            return hidden
        return replace(hidden, by=None, tasks=(), place=None, seconds=None, help=None)

    def tasks(self, tasks: Iterable[StoredTask]) -> tuple[StoredTask, ...]:
        """Return the tasks of a list as they may be shown; those of others do not stand there."""
        reach = self.principal.may_reach
        return tuple(self.task(each) for each in tasks if reach(each.function, each.pool))

    async def narrowed(self, wanted: TaskFilter, server: Server) -> TaskFilter:
        """Return the filter that finds what `wanted` does and may be shown.

        Raises:
            Forbidden: If it asks for something that is not shown.
        """
        if not self.sees_values and (wanted.text or wanted.groups):
            raise Forbidden(
                f"{self.principal.name} may not see arguments and messages, nor search by them "
                "(q, group)"
            )
        if self.is_whole:
            return wanted
        counts = await server.read(queries.counts)
        functions = fitting(self.principal.functions, sorted({each.function for each in counts}))
        pools = fitting(self.principal.pools, sorted({each.pool for each in counts}))
        return replace(
            wanted,
            functions=_both(wanted.functions, functions),
            pools=_both(wanted.pools, pools),
        )

    async def check_task(self, task_id: str, server: Server) -> None:
        """Refuse what is asked of a task that is not for the principal.

        Raises:
            NotFound: If it is not, or there is none.
        """
        if not self.is_whole:
            await self.get(task_id, server)

    async def check_edit(self, task_id: str, edit: TaskEdit, server: Server) -> None:
        """Refuse a change of a task that is not for the principal, or to what is not.

        Raises:
            NotFound: If the task is not for it, or there is none.
            Forbidden: If the pool is not for it.
        """
        if self.is_whole:
            return
        task = await self.get(task_id, server)
        if edit.pool is not UNSET:
            self._check_place(Submission(task.function, pool=edit.pool), server, {})

    async def get(self, task_id: str, server: Server) -> StoredTask:
        """Read a task, and return it as it may be shown.

        Raises:
            NotFound: If it is not for the principal, or there is none.
        """
        try:
            return self.task(await server.tasks.get(task_id))
        except NotFound:
            if self.is_whole:
                raise
            # The other words would tell that a deleted task of somebody else was there.
            raise NotFound(f"there is no task {task_id}") from None

    async def own(self, ids: Sequence[str], server: Server) -> Sequence[str]:
        """Return those of some ids whose tasks are for the principal."""
        if self.is_whole:
            return ids
        reach = self.principal.may_reach
        found = await server.read(queries.named, ids)
        return [each.id for each in found if reach(each.function, each.pool)]

    async def meant(
        self, selection: TaskFilter | Sequence[str], server: Server
    ) -> TaskFilter | Sequence[str]:
        """Return what a change of many is for, of those that are for the principal."""
        if isinstance(selection, TaskFilter):
            return await self.narrowed(selection, server)
        return await self.own(selection, server)

    # Submissions.

    async def check_submissions(self, submissions: Sequence[Submission], server: Server) -> None:
        """Refuse what a limited principal may not submit; results of others are not for it either.

        Raises:
            Forbidden: If one is for a function or a pool that is not for it.
            InvalidRequest: If one comes after a task that is not for it, as if there were none.
        """
        if self.is_whole:
            return
        for place, each in enumerate(submissions):
            self._check_place(each, server, {"index": place} if len(submissions) > 1 else {})
        tied = [each for each in submissions if each.may_come_after]
        names = {name for each in tied for name in rules_of(each)}
        own = set(await self.own(sorted(names), server)) if names else set()
        if names - own:
            name = min(names - own)[:100]
            raise InvalidRequest(f'after: there is no task "{name}"', field="/after")

    def echo(self, task: StoredTask) -> StoredTask:
        """Return the task of a submission, which is an earlier one where its key was used before.

        Raises:
            IdempotencyMismatch: If that one is not for the principal.
        """
        if not self.principal.may_reach(task.function, task.pool):
            raise IdempotencyMismatch("this idempotency key stands for a task of somebody else")
        return self.task(task)

    def _check_place(self, submission: Submission, server: Server, where: dict[str, Any]) -> None:
        name, principal = submission.function, self.principal
        if not fits(principal.functions, name):
            raise Forbidden(f"{principal.name} may not submit {name[:200]}", **where)
        try:
            pool = server.intake.checks.pool_of(submission)
        except UnknownFunction:  # which would suggest names of others
            raise UnknownFunction(f'no function called "{name[:200]}" is registered') from None
        if not fits(principal.pools, pool):
            raise Forbidden(f"{principal.name} may not submit to the pool {pool[:200]}", **where)

    # The live picture.

    def frame(self, frame: Frame) -> Frame:
        """Return a frame as it may be shown."""
        if self.sees_values:
            return frame
        pools = tuple(map(self.pool, frame.pools))
        return replace(frame, pools=pools, notices=_unquoted(frame.notices))

    def pool(self, pool: PoolHealth) -> PoolHealth:
        """Return a pool as it may be shown."""
        if not self.is_whole:
            pool = _narrowed(pool, self.principal)
        if self.sees_values:
            return pool
        hosts = pool.hosts and tuple(
            replace(host, reason=host.reason and _HIDDEN) for host in pool.hosts
        )
        notices = _unquoted(pool.notices)
        return replace(pool, reason=pool.reason and _HIDDEN, notices=notices, hosts=hosts)

    def pools(self, pools: Iterable[PoolHealth]) -> Iterator[PoolHealth]:
        """Yield those pools that are for the principal, as they may be shown.

        To who is limited by functions alone, none is: the figures of a pool are of all functions.
        """
        principal = self.principal
        for pool in pools:
            if self.is_whole or (principal.pools and fits(principal.pools, pool.name)):
                yield self.pool(pool)

    def annotations(self, found: Iterable[StoredAnnotation]) -> tuple[StoredAnnotation, ...]:
        """Return annotations as they may be shown."""
        if self.sees_values:
            return tuple(found)
        return tuple(replace(each, data={}) if each.kind == "broken" else each for each in found)


def _narrowed(pool: PoolHealth, principal: Principal) -> PoolHealth:
    """Return a pool without the names of functions and tasks that are not for a principal."""

    def is_own(function: str | None) -> bool:
        return function is None or fits(principal.functions, function)

    workers = tuple(
        replace(
            worker,
            slots=tuple(
                slot if is_own(slot.function) else replace(slot, task=None, function=None)
                for slot in worker.slots
            ),
        )
        for worker in pool.workers
    )
    hosts = pool.hosts and tuple(
        replace(host, tasks=tuple(each for each in host.tasks if is_own(each.function)))
        for host in pool.hosts
    )
    return replace(
        pool,
        workers=workers,
        hosts=hosts,
        reason=pool.reason and _HIDDEN if principal.functions else pool.reason,
        dead=tuple(each for each in pool.dead if each.function and is_own(each.function)),
        notices=tuple(
            each
            for each in pool.notices
            if is_own(each.function) and not (principal.functions and each.reason)
        ),
    )


def sight_of(request: Request) -> Sight:
    """Return what whoever asks may see."""
    return Sight(principal_of(request.scope) or _NOBODY)


def _both(wanted: tuple[str, ...], allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that are wanted and allowed; one that nothing has where there are none."""
    found = tuple(name for name in allowed if name in wanted) if wanted else allowed
    return found or _NO_NAME


def _bare(error: str | None) -> str | None:
    """Return the JSON of an error without what it says: its kind and its type are left."""
    if error is None:
        return None
    found = msgspec.json.decode(error, type=Error)
    return msgspec.json.encode(Error(found.kind, found.type, _HIDDEN)).decode()


def _unquoted(notices: tuple[Notice, ...]) -> tuple[Notice, ...]:
    return tuple(
        replace(each, reason=_HIDDEN) if each.need in _QUOTES else each for each in notices
    )
