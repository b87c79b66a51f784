"""Results as JSON bytes, or the reason why a value cannot be one."""

import dataclasses
import json
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from msgspec import Struct

from pooldeck.text import qualified_name, shown
from pooldeck.worker.failures import Misfit

_CONSTANTS: dict[Any, bytes] = {None: b"null", True: b"true", False: b"false"}
_BRACKETS = b"[]{}"
_NOT_STRUCTURE = bytes(set(range(256)) - set(_BRACKETS + b'"'))
_ALIKE = bytes.maketrans(b"{}", b"[]")


class BadResult(Misfit):
    """A value that cannot be sent as JSON."""


def encode(value: Any, most: int, depth: int) -> bytes:
    """Return `value` as JSON in UTF-8.

    Beyond what JSON has, it takes dataclasses, msgspec Structs, pydantic models, dates and times,
    UUIDs, enumerations, decimals and paths (as text), sets and tuples (as arrays).

    Raises:
        BadResult: If it is not JSON, has more than `most` bytes, or is nested more deeply than
            `depth` arrays and objects; the message says why.
    """
    if value is None or value is True or value is False:
        return _CONSTANTS[value]
    try:
        encoded = _to_json(value).encode()
    except BadResult:
        raise
    except BaseException as error:  # noqa: BLE001 - the user's classes take part in it
        raise BadResult(type(error).__name__, _reason(error)) from None
    if len(encoded) > most:
        raise BadResult("ValueError", f"the result has {len(encoded):,} bytes, over {most:,}")
    if _is_deeper(encoded, depth):
        raise BadResult("ValueError", f"the result is nested more than {depth} levels deep")
    return encoded


def _reason(error: BaseException) -> str:
    match error:
        case UnicodeEncodeError():
            return "the result has text that UTF-8 cannot hold (a lone surrogate)"
        case RecursionError():
            return "the result is nested too deeply, or contains itself"
        case ValueError() if shown(error).startswith("Out of range float"):
            return "the result contains NaN or an infinity, which JSON does not have"
        case _:
            return f"the result cannot be turned into JSON: {shown(error)}"


def _is_deeper(encoded: bytes, depth: int) -> bool:
    """Tell whether JSON text is nested more than `depth` levels.

    All in C, whatever the size: strings are taken out, and then the innermost pairs of brackets as
    often as there may be levels; what is left lies deeper.
    """
    if encoded.count(b"[") + encoded.count(b"{") <= depth:
        return False
    if b"\\" in encoded:
        encoded = encoded.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = encoded.translate(_ALIKE, _NOT_STRUCTURE)
    brackets = b"".join(marks.split(b'"')[::2])
    for _ in range(depth):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _substitute(value: Any) -> Any:
    """Return what stands for a value that JSON does not have."""
    for types, as_json in _SUBSTITUTES:
        if isinstance(value, types):
            return as_json(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return value.model_dump(mode="json")
    raise BadResult("TypeError", f"the result contains {_named(value)}, which JSON does not have")


def _named(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return "bytes (decode them, or encode them as base64)"
    return qualified_name(type(value))


def _struct(value: Struct) -> dict[str, Any]:
    names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
    return {encoded: getattr(value, name) for encoded, name in names}


_SUBSTITUTES: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((set, frozenset), list),
    ((date, time), lambda value: value.isoformat()),
    (Enum, lambda value: value.value),
    ((UUID, Decimal, PurePath), str),
    (Struct, _struct),
)
_to_json = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_substitute
).encode
