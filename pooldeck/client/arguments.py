"""Arguments as JSON: what goes out by the same table of types as results, futures as references."""

import json
from typing import Any, Final, NamedTuple

from pooldeck.client.future import RemoteFuture
from pooldeck.worker.values.bad_result import BadResult
from pooldeck.worker.values.plain_json import Plain
from pooldeck.worker.values.type_table import Row, row_of

_DEEPEST: Final = 500  # levels: far beyond what a server takes, and within Python's own
_SIMPLE: Final = frozenset({bool, int, type(None)})


class References:
    """What in arguments stands for the results of other tasks; it collects what that is."""

    def __init__(self) -> None:
        self.needs: list[RemoteFuture[Any]] = []

    def of(self, value: Any) -> Any:
        """Return what stands for a value in a body; None where it is none that refers."""
        if not isinstance(value, RemoteFuture):
            return None
        self.needs.append(value)
        return {"$result": value.reference}


class EncodedCall(NamedTuple):
    """The arguments of a call as JSON, and the futures whose results they refer to."""

    args: bytes
    kwargs: bytes
    needs: tuple[RemoteFuture[Any], ...] = ()


def encode_call(
    args: tuple[Any, ...], kwargs: dict[str, Any], references: References | None = None
) -> EncodedCall:
    """Return the arguments of a call as JSON.

    Args:
        args: By position.
        kwargs: By name.
        references: Says what stands for the result of another task; futures unless given.

    Raises:
        TypeError: If one of them has no JSON; the message names it and the place in it.
        ValueError: If one has a value that JSON does not have, as NaN.
    """
    if not kwargs and all(type(each) in _SIMPLE for each in args):
        return EncodedCall(_text(args).encode(), b"{}")
    refers = references or References()
    try:
        return _quickly(args, kwargs, refers)
    except Exception:  # noqa: BLE001 - the user's classes take part in it
        refers.needs.clear()
    in_order = [_closely(f"[{place}]", each, refers) for place, each in enumerate(args)]
    named = [f"{_text(name)}:{_closely(name, each, refers)}" for name, each in kwargs.items()]
    by_position, by_name = ",".join(in_order).encode(), ",".join(named).encode()
    return EncodedCall(b"[%b]" % by_position, b"{%b}" % by_name, tuple(refers.needs))


def _quickly(args: tuple[Any, ...], kwargs: dict[str, Any], refers: References) -> EncodedCall:
    encoder = _Encoder(refers)
    by_position = encoder.encode(args).encode()
    by_name = encoder.encode(kwargs).encode() if kwargs else b"{}"
    return EncodedCall(by_position, by_name, tuple(refers.needs))


def _closely(name: str, value: Any, refers: References) -> str:
    """Return JSON of one argument, looked at part by part: what is wrong in it has a place."""
    try:
        return _text(_PlainArgument(name, refers).of(value))
    except BadResult as error:
        kind = TypeError if error.type == "TypeError" else ValueError
        raise kind(str(error)) from None


class _PlainArgument(Plain):
    """Makes plain JSON of one argument."""

    def __init__(self, name: str, refers: References) -> None:
        super().__init__(_DEEPEST, is_secret=False, subject=f"the argument {name}")
        self._refers = refers

    def _row_of(self, value: Any) -> Row | None:
        reference = self._refers.of(value)
        return super()._row_of(value) if reference is None else Row((), lambda _: reference)


class _Encoder(json.JSONEncoder):
    def __init__(self, refers: References) -> None:
        super().__init__(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self._refers = refers

    def default(self, o: Any) -> Any:
        """Return what stands for a value that JSON does not have."""
        reference = self._refers.of(o)
        if reference is not None:
            return reference
        row = row_of(type(o))
        if row is None or row.encode is None:
            raise TypeError
        return row.encode(o)


_text: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
