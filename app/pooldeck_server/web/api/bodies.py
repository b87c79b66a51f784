"""What may stand in the body of a request, and the rules that types alone cannot say."""

from datetime import datetime
from functools import cache
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from pooldeck_server.domain.copies import Word
from pooldeck_server.domain.drains import MAX_SECONDS
from pooldeck_server.domain.errors import InvalidRequest, MalformedJson, PooldeckError, TooLarge
from pooldeck_server.domain.pools.annotations import MAX_REASON
from pooldeck_server.domain.tasks.edits import TaskEdit
from pooldeck_server.domain.tasks.names import Name
from pooldeck_server.domain.tasks.pipelines import PipelineRequest, step_pointer
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.settings import MAX_HOSTS, MAX_POOL_SIZE, LimitSettings
from pooldeck_server.web.api.reading import bytes_of_task
from pooldeck_server.web.http.json_pieces import check_in_pieces
from pooldeck_server.web.http.strict_json import check, typed

B = TypeVar("B", bound=Struct)

_BESIDE: Final = 100  # parts of a body beside its tasks
_AROUND: Final = 2  # levels around an argument: the body's object, and args or kwargs
_AROUND_IN_BATCH: Final = 4  # and the batch's object and array
_YEARS: Final = range(1970, 9000)  # a moment outside of these cannot be shown in every time zone

Size: TypeAlias = Annotated[
    int,
    Meta(ge=1, le=MAX_POOL_SIZE, description="Slots; those that go finish what they run first."),
]
Hosts: TypeAlias = Annotated[
    int,
    Meta(ge=1, le=MAX_HOSTS, description="Hosts, of a pool whose hosts Dask places."),
]
Paused: TypeAlias = Annotated[
    bool, Meta(description="True: hand nothing out; false: go on, also after a drain.")
]
Reason: TypeAlias = Annotated[
    str, Meta(max_length=MAX_REASON, description="Why, for the log of actions and the charts.")
]

Watched: TypeAlias = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=64)]],
    Meta(description="Ids of tasks, at most 100,000 in one watch."),
]


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a batch: all of its tasks are stored, or none."""

    tasks: list[Submission]


class MoreWatched(Struct, frozen=True, forbid_unknown_fields=True):
    """More tasks to watch; those that have ended already are told at once."""

    ids: Watched


class WatchRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which tasks to watch. With `starts`, it is told too when a worker has started one."""

    ids: Watched
    starts: bool = False


class CancelRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a cancellation; it may be left out."""

    kill: bool = False
    reason: Reason | None = None


class Reasoned(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a call that may say why; it may be left out."""

    reason: Reason | None = None


class RestoredTasks(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of the tasks that waited in a backup: they run, or are recorded as lost."""

    waiting: Word


class DrainRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a drain of the server; it may be left out.

    With `stop` the server ends when nothing runs, at the latest after `seconds`. With
    `finish_queue` what is queued runs first; otherwise it stays in the store.
    """

    reason: Reason | None = None
    seconds: Annotated[float, Meta(gt=0, le=MAX_SECONDS)] | None = None
    stop: bool = False
    finish_queue: bool = False


class UnschedulableTasks(Struct, frozen=True, forbid_unknown_fields=True):
    """Which tasks of a pool that no worker can run: all, or those of one function."""

    function: Name | None = None


class PoolChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What to set for a pool; what is left out stays as it is."""

    size: Size | None = None
    hosts: Hosts | None = None
    paused: Paused | None = None
    reason: Reason | None = None


class NoticeKey(Struct, frozen=True, forbid_unknown_fields=True):
    """Which notice is meant."""

    key: Annotated[str, Meta(min_length=1, max_length=1000)]


class PlacementChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a function is to run; null leaves it to the server again."""

    pool: Name | None
    reason: Reason | None = None


_NOTHING: Final = b"{}"
_decoder = cache(msgspec.json.Decoder)


def read(model: type[B], body: bytes, limits: LimitSettings, around: int = 0) -> B:
    """Decode the body of a call, with at most `limits.depth` levels within those `around` them.

    Raises:
        MalformedJson: If the body is not strict JSON, or nested too deeply.
        InvalidRequest: If a field is unknown, missing or wrong; `field` points to it.
    """
    longest, depth = bytes_of_task(limits), limits.depth + around
    if len(body) <= longest:
        check(body, depth)
    else:
        check_in_pieces(body, depth, longest, limits.batch_tasks + _BESIDE)
    decoder: msgspec.json.Decoder[B] = _decoder(model)
    return typed(decoder, body)


def read_watch(body: bytes, limits: LimitSettings) -> WatchRequest:
    """Decode which tasks to watch; raises as `read`."""
    return _read_ids(WatchRequest, body, limits)


def read_more_watched(body: bytes, limits: LimitSettings) -> MoreWatched:
    """Decode which more tasks to watch; raises as `read`."""
    return _read_ids(MoreWatched, body, limits)


def _read_ids(model: type[B], body: bytes, limits: LimitSettings) -> B:
    """Decode a body that has many short texts, of which each would take long as a piece.

    It is decoded before it is checked: what passes holds nothing that is slow to check.
    """
    decoder: msgspec.json.Decoder[B] = _decoder(model)
    try:
        request = typed(decoder, body)
    except msgspec.DecodeError as error:
        raise MalformedJson(f"the body cannot be read: {error}") from None
    check(body, limits.depth)
    return request


def read_cancel_request(body: bytes, limits: LimitSettings) -> CancelRequest:
    """Decode the body of a cancellation, which may be left out; raises as `read`."""
    return read(CancelRequest, body or _NOTHING, limits)


def read_reason(body: bytes, limits: LimitSettings) -> Reasoned:
    """Decode a body that may say why, or be left out; raises as `read`."""
    return read(Reasoned, body or _NOTHING, limits)


def read_restored(body: bytes, limits: LimitSettings) -> RestoredTasks:
    """Decode a body that says what becomes of a backup's tasks; raises as `read`."""
    return read(RestoredTasks, body, limits)


def read_drain(body: bytes, limits: LimitSettings) -> DrainRequest:
    """Decode the body of a drain of the server, which may be left out; raises as `read`."""
    return read(DrainRequest, body or _NOTHING, limits)


def read_unschedulable(body: bytes, limits: LimitSettings) -> UnschedulableTasks:
    """Decode a body that may name a function, or be left out; raises as `read`."""
    return read(UnschedulableTasks, body or _NOTHING, limits)


def read_placement(body: bytes, limits: LimitSettings) -> PlacementChange:
    """Decode where a function is to run; raises as `read`."""
    return read(PlacementChange, body, limits)


def read_notice_key(body: bytes, limits: LimitSettings) -> NoticeKey:
    """Decode which notice is meant; raises as `read`."""
    return read(NoticeKey, body, limits)


def read_submission(body: bytes, limits: LimitSettings) -> Submission:
    """Decode the body of a submission.

    Raises:
        MalformedJson: If the body is not strict JSON, or nested too deeply.
        InvalidRequest: If a field is unknown, missing or wrong; `field` points to it.
        TooLarge: If the arguments are.
    """
    submission = read(Submission, body, limits, _AROUND)
    if submission.idempotency_key is not None:
        raise InvalidRequest(
            "idempotency_key: send it as the header Idempotency-Key", field="/idempotency_key"
        )
    _check_rules(submission, limits)
    return submission


def read_batch(body: bytes, limits: LimitSettings) -> list[Submission]:
    """Decode the body of a batch of 1 to `limits.batch_tasks`; raises as `read_submission`."""
    tasks = read(Batch, body, limits, _AROUND_IN_BATCH).tasks
    if not tasks:
        raise InvalidRequest("tasks: a batch needs at least one", field="/tasks")
    if len(tasks) > limits.batch_tasks:
        raise TooLarge(
            f"{len(tasks)} tasks are more than the {limits.batch_tasks} that a batch may hold; "
            "send several batches"
        )
    position = 0
    try:
        for position, submission in enumerate(tasks):  # noqa: B007 - the handler names it
            _check_rules(submission, limits)
    except PooldeckError as error:
        raise _placed(error, f"/tasks/{position}") from None
    return tasks


def read_pipeline(body: bytes, limits: LimitSettings) -> PipelineRequest:
    """Decode the body of a pipeline; raises as `read_submission`."""
    request = read(PipelineRequest, body, limits, _AROUND_IN_BATCH)
    for name, step in request.tasks.items():
        try:
            _check_rules(step, limits)
        except PooldeckError as error:
            raise _placed(error, step_pointer(name)) from None
        if step.callback and step.each is not UNSET:
            raise InvalidRequest(
                "callback: not for a step that runs for each item of a list; give it to a step "
                "that comes after it",
                field=step_pointer(name, "callback"),
            )
    return request


def read_pool_change(body: bytes, limits: LimitSettings) -> PoolChange:
    """Decode what is to be set for a pool; raises as `read`, also for nothing."""
    change = read(PoolChange, body, limits)
    if change.size is None and change.hosts is None and change.paused is None:
        raise InvalidRequest("say what to set: size, hosts or paused, or several of them")
    return change


def read_edit(body: bytes, limits: LimitSettings) -> TaskEdit:
    """Decode what to change of a task; raises as `read_submission`, also for nothing."""
    edit = read(TaskEdit, body, limits, _AROUND)
    if edit.is_empty:
        raise InvalidRequest("say what to change: priority, run_at, delay, pool, args or kwargs")
    _check_arguments(edit.args, edit.kwargs, limits)
    if edit.delay is not UNSET and edit.run_at is not UNSET:
        raise InvalidRequest("delay, run_at: only one of them may be given", field="/run_at")
    if isinstance(edit.run_at, datetime):
        _check_time(edit.run_at, None)
    return edit


def _check_rules(submission: Submission, limits: LimitSettings) -> None:
    """Check what the types let pass; `field` of an error begins at the submission."""
    _check_arguments(submission.args, submission.kwargs, limits)
    if submission.tags and len(set(submission.tags)) != len(submission.tags):
        raise InvalidRequest("tags: one stands there twice", field="/tags")
    if submission.run_at is not None:
        _check_time(submission.run_at, submission.delay)


def _check_arguments(args: Raw | UnsetType, kwargs: Raw | UnsetType, limits: LimitSettings) -> None:
    """Check what is given of arguments."""
    size = 0
    if args is not UNSET:
        size += len(bytes(args))
        if not bytes(args).startswith(b"["):
            raise InvalidRequest("args: expected an array", field="/args")
    if kwargs is not UNSET:
        size += len(bytes(kwargs))
        if not bytes(kwargs).startswith(b"{"):
            raise InvalidRequest("kwargs: expected an object", field="/kwargs")
    if size > limits.arguments_bytes:
        raise TooLarge(
            f"the arguments take {size} bytes; a task may have {limits.arguments_bytes}",
            field="/args",
        )


def _check_time(run_at: datetime, delay: float | None) -> None:
    if delay is not None:
        raise InvalidRequest("delay, run_at: only one of them may be given", field="/run_at")
    if run_at.year not in _YEARS:
        raise InvalidRequest("run_at: the year is out of range", field="/run_at")


def _placed(error: PooldeckError, at: str) -> PooldeckError:
    """Return an error whose `field` begins at a submission as one that begins at the body."""
    error.extra["field"] = at + error.extra["field"]
    return error
