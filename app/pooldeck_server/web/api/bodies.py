"""What may stand in the body of a request, and the rules that types alone cannot say."""

from functools import cache
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Struct

from pooldeck_server.domain.errors import InvalidRequest, TooLarge
from pooldeck_server.domain.pools.annotations import MAX_REASON
from pooldeck_server.domain.tasks.names import Name
from pooldeck_server.domain.tasks.pipelines import PipelineRequest, step_pointer
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.settings import MAX_POOL_SIZE, LimitSettings
from pooldeck_server.web.http.strict_json import check, typed

B = TypeVar("B", bound=Struct)

_AROUND: Final = 2  # levels around an argument: the body's object, and args or kwargs
_AROUND_IN_BATCH: Final = 4  # and the batch's object and array
_YEARS: Final = range(1970, 9000)  # a moment outside of these cannot be shown in every time zone

Size: TypeAlias = Annotated[
    int,
    Meta(ge=1, le=MAX_POOL_SIZE, description="Slots; those that go finish what they run first."),
]
Paused: TypeAlias = Annotated[
    bool, Meta(description="True: hand nothing out; false: go on, also after a drain.")
]
Reason: TypeAlias = Annotated[
    str, Meta(max_length=MAX_REASON, description="Why, for those who look at the charts later.")
]


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a batch: all of its tasks are stored, or none."""

    tasks: list[Submission]


class CancelRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a cancellation; it may be left out."""

    kill: bool = False
    reason: Reason | None = None


class Reasoned(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a call that destroys or interrupts something; it may be left out."""

    reason: Reason | None = None


class PoolChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What to set for a pool; what is left out stays as it is."""

    size: Size | None = None
    paused: Paused | None = None


class PlacementChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a function is to run; null leaves it to the server again."""

    pool: Name | None


_decoder = cache(msgspec.json.Decoder)


def read(model: type[B], body: bytes, limits: LimitSettings, around: int = 0) -> B:
    """Decode the body of a call, with at most `limits.depth` levels within those `around` them.

    Raises:
        MalformedJson: If the body is not strict JSON, or nested too deeply.
        InvalidRequest: If a field is unknown, missing or wrong; `field` points to it.
    """
    check(body, limits.depth + around)
    decoder: msgspec.json.Decoder[B] = _decoder(model)
    return typed(decoder.decode, body)


def read_or_default(model: type[B], body: bytes, limits: LimitSettings) -> B:
    """Decode a body that may be left out; raises as `read`."""
    return read(model, body or b"{}", limits)


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
    _check_rules(submission, limits, "")
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
    for position, submission in enumerate(tasks):
        _check_rules(submission, limits, f"/tasks/{position}")
    return tasks


def read_pipeline(body: bytes, limits: LimitSettings) -> PipelineRequest:
    """Decode the body of a pipeline; raises as `read_submission`."""
    request = read(PipelineRequest, body, limits, _AROUND_IN_BATCH)
    for name, step in request.tasks.items():
        _check_rules(step, limits, step_pointer(name))
    return request


def read_pool_change(body: bytes, limits: LimitSettings) -> PoolChange:
    """Decode what is to be set for a pool; raises as `read`, also for nothing."""
    change = read(PoolChange, body, limits)
    if change == PoolChange():
        raise InvalidRequest("say what to set: size, paused, or both")
    return change


def _check_rules(submission: Submission, limits: LimitSettings, at: str) -> None:
    """Check what the types let pass; `at` is the JSON pointer of the submission."""
    if not bytes(submission.args).startswith(b"["):
        raise InvalidRequest("args: expected an array", field=f"{at}/args")
    if not bytes(submission.kwargs).startswith(b"{"):
        raise InvalidRequest("kwargs: expected an object", field=f"{at}/kwargs")
    size = len(submission.args) + len(submission.kwargs)
    if size > limits.arguments_bytes:
        raise TooLarge(
            f"the arguments take {size} bytes; a task may have {limits.arguments_bytes}",
            field=f"{at}/args",
        )
    if len(set(submission.tags)) != len(submission.tags):
        raise InvalidRequest("tags: one stands there twice", field=f"{at}/tags")
    _check_time(submission, at)


def _check_time(submission: Submission, at: str) -> None:
    if submission.run_at is None:
        return
    if submission.delay is not None:
        raise InvalidRequest("delay, run_at: only one of them may be given", field=f"{at}/run_at")
    if submission.run_at.year not in _YEARS:
        raise InvalidRequest("run_at: the year is out of range", field=f"{at}/run_at")
