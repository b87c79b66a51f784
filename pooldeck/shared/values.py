"""Values as JSON texts, which shared state keeps as they are."""

import json
from typing import Any, Final

import msgspec

from pooldeck.shared.errors import SharedLimitError, SharedValueError

_RANGE: Final = 2**63
_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
decode: Final = msgspec.json.Decoder().decode


def encode(value: Any, most: int) -> bytes:
    """Return a value, if it is data as JSON has it, in UTF-8 of at most `most` bytes."""
    try:
        encoded = _to_json(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise SharedValueError(
            f"only what JSON has can be shared (texts, numbers, lists, dicts): {error}"
        ) from None
    if len(encoded) > most:
        raise SharedLimitError(
            f"the value has {len(encoded):,} bytes, over shared.value_bytes = {most:,}"
        )
    return encoded


def number(value: int) -> int:
    """Return a whole number that a counter can hold, of at most 64 bits."""
    if not isinstance(value, int):
        raise SharedValueError(f"a counter counts in whole numbers, not in {value!r}")
    if not -_RANGE <= value < _RANGE:
        raise SharedValueError("a counter holds 64 bits, and this is more")
    return int(value)
