"""Arrays of numpy, and frames and series of pandas, as JSON. Neither is imported here."""

import sys
from typing import Any, Final, get_args

_LONG: Final = {"f16": float, "c32": complex}  # numbers that are longer than Python has them
_MICROSECONDS: Final = {"M": "datetime64[us]", "m": "timedelta64[us]"}


def nested_lists(value: Any) -> Any:
    """Return an array as lists in lists, of numbers, texts and times of Python."""
    code = value.dtype.str
    if code[1:] in _LONG:
        value = value.astype(_LONG[code[1:]])
    elif value.dtype.kind in _MICROSECONDS and not code.endswith("[D]"):
        value = value.astype(_MICROSECONDS[value.dtype.kind])  # finer ones become whole numbers
    return value.tolist()


def moment(value: Any) -> Any:
    """Return a date, a time or a duration of numpy as Python has it, None if it is not one."""
    return nested_lists(value.reshape(()))


def array(kind: Any, value: Any) -> Any:
    """Return an array, with the type of items that its annotation says."""
    items = [get_args(each) for each in get_args(kind)[1:]]  # ndarray[shape, dtype[items]]
    wanted = next((each[0] for each in items if each and isinstance(each[0], type)), None)
    return sys.modules["numpy"].array(value, dtype=wanted)


def records(frame: Any) -> list[dict[Any, Any]]:
    """Return an object for each row of a frame; an index that does not only count is a column.

    What is missing is None, as pandas itself writes it.
    """
    if not _is_counting(frame.index):
        if set(frame.index.names) & set(frame.columns) - {None}:
            raise ValueError("its index has the name of a column: give one of them another name")
        frame = frame.reset_index()
    if not frame.columns.is_unique:
        raise ValueError("two of its columns have the same name")
    columns = [_values(frame[name]) for name in frame.columns]
    names = frame.columns.tolist()
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def by_index(series: Any) -> Any:
    """Return an array, or an object by the labels of an index that does not only count."""
    if _is_counting(series.index):
        return _values(series)
    if not series.index.is_unique:
        raise ValueError("its index has a label twice: call reset_index() on it first")
    return dict(zip(series.index.tolist(), _values(series), strict=True))


def _values(series: Any) -> list[Any]:
    found: list[Any] = series.tolist()
    if series.hasnans:
        present = series.notna().tolist()
        found = [
            value if is_there else None for value, is_there in zip(found, present, strict=True)
        ]
    return found


def _is_counting(index: Any) -> bool:
    """Tell whether an index only numbers its rows from 0, and has nothing to say."""
    bounds = (getattr(index, "start", None), getattr(index, "step", None))
    return bounds == (0, 1) and index.name is None
