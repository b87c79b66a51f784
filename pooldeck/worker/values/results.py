"""Results as JSON bytes, or the reason why a value cannot be one."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from pooldeck.text import shown
from pooldeck.worker.values.bad_result import BadResult
from pooldeck.worker.values.plain_json import Plain
from pooldeck.worker.values.type_table import row_of

_CONSTANTS: dict[Any, bytes] = {None: b"null", True: b"true", False: b"false"}
_SCALARS: Final = frozenset({str, int, float})
_BRACKETS = b"[]{}"
_NOT_STRUCTURE = bytes(set(range(256)) - set(_BRACKETS + b'"'))
_ALIKE = bytes.maketrans(b"{}", b"[]")
# What keys look like that were numbers, True, False or None. Text can look so, too.
_MAYBE_NO_TEXT: Final = re.compile(rb'"(?:-?\d[\d.e+-]*|true|false|null)":')
# How they end: looked for first, since a search for fixed bytes takes half the time.
_MAYBE_ITS_END: Final = re.compile(
    rb'":(?<=[\del]":)(?:(?<=\d":)|(?<="true":)|(?<="false":)|(?<="null":))'
)


def encode(
    value: Any,
    most: int,
    depth: int,
    say: Callable[[str], None] = lambda _words: None,
    *,
    is_secret: bool = False,
) -> bytes:
    """Return `value` as JSON in UTF-8: plain JSON, and what the table of types has beyond it.

    Args:
        value: What a function has returned.
        most: Bytes that it may have.
        depth: How many arrays and objects may be in each other.
        say: Is told, in words, what of the value is not as it was.
        is_secret: Whether no part of the value may be repeated in words.

    Raises:
        BadResult: If it is not JSON, too large, or nested too deeply; the message says where, why,
            and what to do instead.
    """
    if value is None or value is True or value is False:
        return _CONSTANTS[value]
    encoded = _quickly(value, depth)
    if encoded is None:
        plain = Plain(depth, is_secret=is_secret)
        encoded = _closely(value, plain)
        if words := plain.words_on_keys():
            say(words)
    if len(encoded) > most:
        raise BadResult(
            "ValueError",
            f"the result has {len(encoded):,} bytes, over {most:,}; keep it in a file or a store, "
            "and return where it is",
        )
    return encoded


def _quickly(value: Any, depth: int) -> bytes | None:
    """Return JSON where there is nothing to say of it; None: it has to be looked at closely."""
    try:
        encoded = _to_json(value).encode()
    except BaseException:  # noqa: BLE001 - the user's classes take part in it
        return None
    if type(value) in _SCALARS:
        return encoded
    if _MAYBE_ITS_END.search(encoded) and _MAYBE_NO_TEXT.search(encoded):
        return None
    if _is_deeper(encoded, depth):
        return None
    return encoded


def _closely(value: Any, plain: Plain) -> bytes:
    try:
        return _to_json(plain.of(value)).encode()
    except BadResult:
        raise
    except BaseException as error:  # noqa: BLE001 - as above
        reason = f"the result cannot be turned into JSON: {shown(error)}"
        raise BadResult(type(error).__name__, reason) from None


def _is_deeper(encoded: bytes, depth: int) -> bool:
    """Tell whether JSON text is nested more than `depth` levels.

    All in C, whatever the size: strings are taken out, and then the innermost pairs of brackets as
    often as there may be levels; what is left lies deeper.
    """
    if encoded.count(b"[") + encoded.count(b"{") <= depth:
        return False
    if b"\\" in encoded:
        encoded = encoded.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = encoded.translate(_ALIKE, _NOT_STRUCTURE).replace(b'""', b"")
    brackets = b"".join(marks.split(b'"')[::2])
    for _ in range(depth):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _substitute(value: Any) -> Any:
    """Return what stands for a value that JSON does not have."""
    row = row_of(type(value))
    if row is None or row.encode is None:
        raise TypeError
    return row.encode(value)


_to_json = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_substitute
).encode
