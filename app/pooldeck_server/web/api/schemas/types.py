"""The pieces that answers of the API are made of."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from pooldeck_server.domain.clock import SECOND

S = TypeVar("S", bound=Struct)

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  naive, since "Z" is written by hand

Timestamp: TypeAlias = Annotated[
    str,
    Meta(
        description="RFC 3339 in UTC, with microseconds.",
        examples=["2026-11-30T09:15:02.250113Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
Seconds: TypeAlias = Annotated[float, Meta(description="A duration in seconds.")]
TaskId: TypeAlias = Annotated[
    str,
    Meta(
        description="A UUID of version 7; ids sort in the order of submission.",
        examples=["019ad5a2-3c10-7b4e-9f8e-2d64a7c0ffee"],
    ),
]
JsonArray: TypeAlias = Annotated[Raw, Meta(extra_json_schema={"type": "array"})]
JsonObject: TypeAlias = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]
ErrorText: TypeAlias = Annotated[
    Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/TaskError"})
]
MeasurementText: TypeAlias = Annotated[
    Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/Measurement"})
]


def shown(model: type[S], value: object, **given: Any) -> S:
    """Return `value` as a `model`, by its attributes at any depth; `given` are all other fields."""
    if given:
        names = (name for name in model.__struct_fields__ if name not in given)
        value = {name: getattr(value, name) for name in names} | given
    return msgspec.convert(value, model, from_attributes=True)


def timestamp(microseconds: int) -> str:
    """Return microseconds since the epoch as RFC 3339 in UTC."""
    second, rest = divmod(microseconds, SECOND)
    return f"{_to_the_second(second)}.{rest:06d}Z"


@lru_cache(maxsize=1024)
def _to_the_second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).isoformat(timespec="seconds")


def optional_timestamp(microseconds: int | None) -> str | None:
    return None if microseconds is None else timestamp(microseconds)


def raw(text: str | None) -> Raw | None:
    return None if text is None else Raw(text)
