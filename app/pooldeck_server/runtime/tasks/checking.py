"""Submissions into tasks: each is checked against what workers have loaded, and numbered.

What the submissions of one call have in common is found out once: they come at one moment, and most
of them ask for the same function in the same way. It decides only; the intake asks and stores.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pooldeck.functions import RunOptions
from pooldeck.pools.model import PoolState
from pooldeck_server.domain.clock import Clock, micros, span
from pooldeck_server.domain.errors import (
    BadArguments,
    Conflict,
    FunctionUnavailable,
    Starting,
    UnknownPool,
    no_pool,
)
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.functions.placements import AUTO
from pooldeck_server.domain.tasks.references import may_refer
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.domain.tasks.trace import traced_options
from pooldeck_server.runtime.recording.spans import submission_trace
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.idempotency import fingerprint_of
from pooldeck_server.runtime.tasks.keys import TaskKeys

_CHOOSABLE: Final = [
    name for name in RunOptions.__struct_fields__ if name in Submission.__struct_fields__
]
_way_to_ask = attrgetter("function", "pool", "priority", "delay", "run_at", "callback", *_CHOOSABLE)
_AS_THEY_ARE: Final = (None, None)  # arguments that may be shown so
_RETRY_AFTER: Final = 5  # seconds
_decode = msgspec.json.Decoder().decode


@dataclass(kw_only=True, eq=False)
class Checks:
    """What submissions are checked against."""

    clock: Clock
    keys: TaskKeys
    functions: Functions
    holds: Holds
    queues: Mapping[str, Dispatcher]  # the dispatcher of each pool
    hosted: Container[str] = ()  # pools on hosts

    def of_call(self) -> "CallChecks":
        """Return what checks the submissions of one call, which are made at this moment."""
        return CallChecks(self, self.clock.now())

    def pool_of(self, submission: Submission) -> str:
        """Return the pool that a submission goes to; it may not exist.

        Raises:
            PooldeckError: If there is no such function.
        """
        if submission.pool is not None and submission.pool != AUTO:
            return submission.pool
        return self.wanted(submission.function).pool

    def wanted(self, name: str) -> RegisteredFunction:
        """Return a function that is to be called; where no pool can start, that is the answer."""
        try:
            return self.functions.catalogue.wanted(name)
        except Starting:
            pools = [queue.pool for queue in self.queues.values()]
            if any(pool.state is not PoolState.BROKEN for pool in pools):
                raise
            why = (pools[0].reason or "").partition("\n")[0]
            raise FunctionUnavailable(
                f"{name} is not known, since no worker can start: {why}",
                retry_after=_RETRY_AFTER,
                function=name,
            ) from None

    def check_again(self, function: str, pool: str) -> None:
        """Find out whether a stored task of a function may be queued again in its pool.

        Raises:
            PooldeckError: If not: its function or pool is gone, or on hold.
        """
        registered = self.functions.catalogue.get(function)
        self.holds.check(function)
        self.check_pool(pool)
        self.check_shares(registered, pool)

    def check_pool(self, pool: str) -> None:
        """Raise `UnknownPool` where there is no such pool."""
        if pool not in self.queues:
            raise UnknownPool(no_pool(pool, self.queues), field="/pool")

    def check_shares(self, function: RegisteredFunction, pool: str) -> None:
        """Refuse a function that uses what is not there where a pool runs.

        Raises:
            Conflict: If it uses shared state, and the pool is on hosts.
        """
        if function.spec.shares and pool in self.hosted:
            raise Conflict(
                f"{function.spec.name} uses pooldeck.shared, which is on the server's machine, and "
                f"pool {pool} is on hosts: name another pool, or keep that state in a database",
                field="/pool",
            )


class _WayToAsk(Struct, frozen=True):
    """Tasks that are asked for in the same way, by an example that has nothing of its own."""

    function: RegisteredFunction
    example: NewTask


@dataclass(eq=False)
class CallChecks:
    """Checks the submissions of one call."""

    checks: Checks
    now: int  # microseconds since the epoch
    are_tied: bool = field(init=False, default=False)  # whether any may come after other tasks
    _kinds: dict[tuple[Any, ...], _WayToAsk] = field(init=False, default_factory=dict)

    def check(self, submission: Submission, key: str | None = None) -> NewTask:
        """Return the task that a submission becomes, as if it came after no other.

        Raises:
            PooldeckError: If it is refused.
        """
        way = _way_to_ask(submission)
        kind = self._kinds.get(way)
        if kind is None:
            kind = self._kinds[way] = self._kind(submission)
        args, kwargs = bytes(submission.args), bytes(submission.kwargs)
        self.are_tied = self.are_tied or bool(submission.after) or may_refer(args, kwargs)
        values = _decode(args), _decode(kwargs)
        _check_arguments(kind, submission, values)
        shown_args, shown_kwargs = kind.function.redact(*values) or _AS_THEY_ARE
        task_key = self.checks.keys.next()
        return replace(
            kind.example,
            seq=task_key.seq,
            id=task_key.id,
            args=args.decode(),
            kwargs=kwargs.decode(),
            tags=submission.tags,
            shown_args=shown_args,
            shown_kwargs=shown_kwargs,
            idempotency_key=key,
            fingerprint=None if key is None else fingerprint_of(submission),
        )

    def _kind(self, submission: Submission) -> _WayToAsk:
        """Return what tasks are like that are asked for as this one is."""
        function = self.checks.wanted(submission.function)
        self.checks.holds.check(submission.function)
        pool, placed = self._place(submission, function)
        self.checks.check_shares(function, pool)
        run_at = _run_at(submission, self.now)
        priority = submission.priority
        example = NewTask(
            seq=0,
            id="",
            function=submission.function,
            pool=pool,
            priority=function.spec.options.priority if priority is None else priority,
            created_at=self.now,
            args="",
            kwargs="",
            run_at=run_at,
            options=_options(submission, function),
            placed=placed,
            state=State.QUEUED if run_at is None else State.SCHEDULED,
            callback=submission.callback or None,
        )
        return _WayToAsk(function, example)

    def _place(
        self, submission: Submission, function: RegisteredFunction
    ) -> tuple[str, str | None]:
        """Return the pool of a task, and what it keeps of why if the server chose it."""
        pool = submission.pool
        if pool is None or pool == AUTO:
            return function.pool, function.placed_text
        self.checks.check_pool(pool)
        return pool, None


def _check_arguments(
    kind: _WayToAsk, submission: Submission, values: tuple[list[Any], dict[str, Any]]
) -> None:
    """Find out whether arguments fit, those that may refer to results only by their names."""
    pool = kind.example.pool
    try:
        kind.function.check(*values, pool=pool)
    except BadArguments:
        if not submission.may_come_after:
            raise
        kind.function.check(*values, pool=pool, with_references=True)


def _run_at(submission: Submission, now: int) -> int | None:
    """Return when the task may run (microseconds), or None for at once."""
    if submission.delay:
        return now + span(submission.delay)
    if submission.run_at is None:
        return None
    moment = micros(submission.run_at)
    return moment if moment > now else None


def _options(submission: Submission, function: RegisteredFunction) -> str | None:
    """Return what the task keeps of how it is run, as JSON."""
    named = {name: getattr(submission, name) for name in _CHOOSABLE}
    chosen = {name: value for name, value in named.items() if value is not None}
    options = function.run_options
    return traced_options(replace(options, **chosen) if chosen else options, submission_trace())
