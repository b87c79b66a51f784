"""Frames of every type that a worker sends, and the same with numbers in them that cannot be."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from pooldeck.functions import FunctionSpec, Options
from pooldeck.loaded_code import LoadedCode
from pooldeck.outcome import Error, ErrorKind, Measurement, Observation, Outcome
from pooldeck.protocol import (
    Abandoned,
    Exiting,
    Finished,
    FromWorker,
    LeftBehind,
    Loading,
    Log,
    LogLine,
    Observed,
    Progress,
    Ready,
    Returned,
    Stack,
    Started,
    Unready,
    WorkerLog,
)

OWN: Final = "<the task that sends it>"
ABSURD: Final = (math.nan, math.inf, -math.inf, 1e308, -1e308, -1, -(2**63), 2**63, 2**64 - 1)

_MEASURED: Final = Measurement(*(0.5, 0.25, 0.1, 0.01, 0.01, 3, 4, 5, 6, 7, 0.2, 8))
_LINE: Final = LogLine(1e9, "INFO", "stdout", "a line", 1)
_ERROR: Final = Error(ErrorKind.EXCEPTION, "ValueError", "why", "where")
_START: Final = Started(OWN, 5.0, 1, 2, 3)
_FUNCTION: Final = FunctionSpec(
    "forged.function", "forged", "()", "", [], {"type": "object"}, Options(timeout=2.0)
)
FRAMES: Final[tuple[FromWorker, ...]] = (
    Loading("jobs"),
    Ready(1, LoadedCode(("forged",), (_FUNCTION,)), 2, 3, 4),
    Unready(_ERROR, "output"),
    _START,
    Progress(OWN, 0.5, "half"),
    Log(OWN, [_LINE, _LINE]),
    WorkerLog([_LINE]),
    Finished(OWN, Outcome(b"1", None, _MEASURED), _START),
    Finished(OWN, Outcome(None, _ERROR, _MEASURED), is_abandoned=True),
    Observed([Observation("web_functions.add", 9, *(0.5,) * 9)]),
    Returned([OWN]),
    Abandoned(OWN),
    Stack(OWN, "somewhere"),
    Exiting(OWN, 3),
    LeftBehind({OWN: [1, 2]}, is_spoilt=False),
)


def with_absurd_numbers() -> Iterator[tuple[FromWorker, bytes]]:
    """Yield each frame with each of its numbers replaced by each absurd one, as its body."""
    for sample in FRAMES:
        plain = msgspec.to_builtins(sample, builtin_types=(bytes,))
        for place in _numbers(plain):
            for absurd in ABSURD:
                yield sample, msgspec.msgpack.encode(_replaced(plain, place, absurd))


def are_finite(value: Any) -> bool:
    """Tell whether no number in what was decoded is NaN or infinite."""
    plain = msgspec.to_builtins(value, builtin_types=(bytes,))
    return all(math.isfinite(_at(plain, place)) for place in _numbers(plain))


def _numbers(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts: Iterable[tuple[Any, Any]]
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list | tuple):
        parts = enumerate(value)
    else:
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield place
        return
    for key, part in parts:
        yield from _numbers(part, (*place, key))


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        value = value[key]
    return value


def _replaced(value: Any, place: tuple[Any, ...], by: Any) -> Any:
    if not place:
        return by
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[place[0]] = _replaced(value[place[0]], place[1:], by)
    return copied
