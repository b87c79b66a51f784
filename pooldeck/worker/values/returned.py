"""What a function has returned, as text for people: where it cannot be a result, it is not lost."""

import reprlib
from threading import Thread
from typing import Any, Final

from pooldeck.text import bounded, qualified_name

_MOST_BYTES: Final = 4096
_PATIENCE: Final = 1.0  # seconds for code of the user's

_short = reprlib.Repr()
_short.maxlevel = 6
_short.maxdict = _short.maxlist = _short.maxtuple = _short.maxset = _short.maxfrozenset = 20
_short.maxdeque = _short.maxarray = 20
_short.maxstring = _short.maxlong = 200
_short.maxother = 2000


def described(value: Any) -> str:
    """Return a bounded `repr` of a value, headed by its type and its length.

    `__repr__` is the user's code: it may raise, and one that takes long is not waited for.
    """
    found: list[str] = []
    reader = Thread(target=_read, args=(value, found), name="pooldeck-repr", daemon=True)
    reader.start()
    reader.join(_PATIENCE)
    return bounded(found[0] if found else f"{_head(value)}: (its __repr__ takes long)", _MOST_BYTES)


def _read(value: Any, found: list[str]) -> None:
    try:
        text = _short.repr(value)
    except BaseException as error:  # noqa: BLE001 - __repr__ is the user's code
        text = f"(its __repr__ raised {type(error).__name__})"
    found.append(f"{_head(value)}: {text}")


def _head(value: Any) -> str:
    name = qualified_name(type(value))
    if isinstance(value, (str, bytes, list, tuple, dict, set, frozenset)):
        return f"{name} of {len(value):,}"
    return name
