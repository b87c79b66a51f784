"""What a task becomes whose others have all ended: their results are put into its arguments.

Runs on a reader thread: it reads results, which may be large, and looks at them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw
from sqlalchemy import Connection

from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.clock import span
from pooldeck_server.domain.errors import (
    BadArguments,
    FunctionUnavailable,
    PooldeckError,
    UnknownFunction,
)
from pooldeck_server.domain.failures.error_groups import group_of
from pooldeck_server.domain.functions.catalogue import Catalogue, RegisteredFunction
from pooldeck_server.domain.tasks.dependencies import NeedState, Rule
from pooldeck_server.domain.tasks.pipelines import MAX_EDGES
from pooldeck_server.domain.tasks.references import names_in, refers, result_named, written
from pooldeck_server.domain.tasks.releases import Awaiting, Refusal, Release
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.settings import LimitSettings
from pooldeck_server.store import queries

_NULL: Final = "null"
_decode = msgspec.json.Decoder().decode
_items = msgspec.json.Decoder(list[Raw]).decode


@dataclass(frozen=True)
class Terms:
    """What releases go by: the functions of this moment, the limits, the time in microseconds."""

    catalogue: Catalogue
    limits: LimitSettings
    now: int


@dataclass(frozen=True)
class Resolved:
    """A task with its arguments for each item of its list; for one, where it has no list."""

    task: Awaiting
    releases: tuple[Release, ...]

    @property
    def is_spread(self) -> bool:
        return self.task.each is not None


def resolve(
    connection: Connection, seq: int, needs: Sequence[NeedState], terms: Terms
) -> Resolved | Refusal | None:
    """Return what becomes of a task whose others have ended; None if it waits no more."""
    task = queries.awaiting_task(connection, seq)
    if task is None:
        return None
    try:
        return _Resolving(connection, task, needs, terms).all()
    except BadArguments as error:
        return _refusal(task, error.detail)


class _Resolving:
    """One task, while its references are replaced."""

    def __init__(
        self, connection: Connection, task: Awaiting, needs: Sequence[NeedState], terms: Terms
    ) -> None:
        self._connection = connection
        self._task = task
        self._terms = terms
        self._args, self._kwargs = _decode(task.args), _decode(task.kwargs)
        self._each = None if task.each is None else _decode(task.each)
        named = set(names_in([self._args, self._kwargs, self._each]))
        self._needs = [need for need in needs if need.name in named]
        self._results = self._read()
        self._texts: dict[str, str] = {}
        self._function = _function(terms.catalogue, task.function)

    def all(self) -> Resolved:
        """Return the task; raise `BadArguments` if the results make no arguments for it."""
        if self._each is None:
            return Resolved(self._task, (self._release(None),))
        items = self._list()
        limit = self._terms.limits.batch_tasks
        followers = queries.follower_count(self._connection, self._task.seq)
        if len(items) > limit or len(items) * followers > MAX_EDGES:
            raise BadArguments(
                f"each: the list has {len(items)} items, more than a pipeline may have"
            )
        return Resolved(self._task, tuple(self._spread(items)))

    def _read(self) -> dict[int, str]:
        """Read the results that are referred to."""
        limits = self._terms.limits
        most = limits.arguments_bytes if self._each is None else limits.body_bytes
        good = [need.needs for need in self._needs if need.state is State.SUCCEEDED]
        found = queries.results(self._connection, good, most)
        if found is None:
            raise BadArguments(
                f"the results that its arguments refer to take more than {most} bytes together; "
                "let the tasks before return less, or where to find it"
            )
        return found

    def _list(self) -> list[Raw]:
        """Return the items of the list that it goes over."""
        name = result_named(self._each) or ""
        self._check_there(name)
        if name not in self._task.lists and not self._has_result(name):
            return []  # what came before did not succeed, and its rule says to go on
        try:
            return _items(self._text(name))
        except msgspec.ValidationError:
            raise BadArguments(f'each: the result of "{name}" is no list') from None

    def _has_result(self, name: str) -> bool:
        return any(need.name == name and need.needs in self._results for need in self._needs)

    def _spread(self, items: Sequence[Raw]) -> Iterator[Release]:
        size = 0
        for place, item in enumerate(items):
            text = bytes(item).decode()
            try:
                release = self._release(text, place, len(items))
            except BadArguments as error:
                raise BadArguments(f"item {place} of the list: {error.detail}") from None
            size += len(release.args) + len(release.kwargs)
            if size > self._terms.limits.body_bytes:
                raise BadArguments(
                    f"each: the tasks of the list take more than {self._terms.limits.body_bytes} "
                    "bytes of arguments together; hand on where to find the data instead"
                )
            yield release

    def _release(
        self, item: str | None, place: int | None = None, items: int | None = None
    ) -> Release:
        task, now = self._task, self._terms.now
        args = self._replaced(self._args, task.args, item)
        kwargs = self._replaced(self._kwargs, task.kwargs, item)
        shown = self._checked(args, kwargs)
        run_at = max(now + span(task.delay or 0), task.run_at or 0)
        return Release(
            seq=task.seq,
            released_at=now,
            state=State.SCHEDULED if run_at > now else State.QUEUED,
            run_at=run_at,
            args=args,
            kwargs=kwargs,
            shown_args=shown[0],
            shown_kwargs=shown[1],
            item=place,
            items=items,
            edits=task.edits,
        )

    def _checked(self, args: str, kwargs: str) -> tuple[str | None, str | None]:
        """Check what the arguments have become; return what people may see of them."""
        size = len(args.encode()) + len(kwargs.encode())
        if size > self._terms.limits.arguments_bytes:
            raise BadArguments(
                f"with the results in them, the arguments take {size} bytes; a task may have "
                f"{self._terms.limits.arguments_bytes}"
            )
        if self._function is None:  # it waits in the queue for a worker that knows it
            return self._task.shown_args, self._task.shown_kwargs
        values = _decode(args), _decode(kwargs)
        try:
            self._function.check(*values, pool=self._task.pool)
        except BadArguments:
            if self._function.binds(*values, pool=self._task.pool):
                raise
            # They did when it was submitted: the code is other now, and it waits for what it was.
        except FunctionUnavailable:  # it waits in the queue for a worker that can run it
            pass
        except PooldeckError as error:
            raise BadArguments(error.detail) from error
        return self._function.redact(*values) or (None, None)

    def _replaced(self, value: Any, text: str, item: str | None) -> str:
        """Return arguments with results in them; as they are written, where there are none."""
        return written(value, self._text, item) if refers(value) else text

    def _text(self, name: str) -> str:
        """Return the text that stands for a reference."""
        if name not in self._texts:
            self._check_there(name)
            parts = list(self._parts(name))
            is_list = name in self._task.lists
            self._texts[name] = f"[{','.join(parts)}]" if is_list else (*parts, _NULL)[0]
        return self._texts[name]

    def _check_there(self, name: str) -> None:
        """Refuse to go on without the result of a task that was deleted."""
        number, expected = sum(need.name == name for need in self._needs), 1
        if name in self._task.lists:
            expected = self._items_of(name)
        if number < expected:
            raise BadArguments(
                f'the result of "{name}" was deleted, and this task needs it; submit both again'
            )

    def _items_of(self, name: str) -> int:
        """Return how many results a list has; one at least where nothing is left that tells."""
        pipeline = self._task.pipeline
        number = queries.item_count(self._connection, pipeline, name)
        if number is not None:
            return number
        step = queries.step(self._connection, pipeline, name)
        return 0 if step is not None and step.never_had_tasks else 1

    def _parts(self, name: str) -> Iterator[str]:
        """Yield the results that a name stands for; those to be skipped are left out."""
        for need in self._needs:
            if need.name != name:
                continue
            if need.state is State.SUCCEEDED:
                yield self._results.get(need.needs, _NULL)
            elif need.rule is not Rule.SKIP:
                yield _NULL


def _function(catalogue: Catalogue, name: str) -> RegisteredFunction | None:
    try:
        return catalogue.get(name)
    except UnknownFunction:
        return None


def _refusal(task: Awaiting, message: str) -> Refusal:
    error = Error(ErrorKind.BAD_ARGUMENTS, "BadArguments", message)
    text = msgspec.json.encode(error).decode()
    group = group_of(error, task.function).id
    return Refusal(task.seq, error.kind.value, text, group, task.edits)
