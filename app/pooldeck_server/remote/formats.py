"""Times and numbers of the API as a terminal shows them: short, and in the reader's time zone."""

from datetime import datetime
from typing import Any, Final

NOTHING: Final = "-"
_MILLISECOND: Final = 0.001
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400
_KIB: Final = 1024
_FEW: Final = 10  # below it a digit after the point says something


def duration(seconds: float | None) -> str:
    """Return a length of time such as "40 ms", "2.5 s", "3 min 5 s"; None is a dash."""
    if seconds is None:
        return NOTHING
    if seconds < _MILLISECOND:
        return "under 1 ms" if seconds else "0 s"
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds < _FEW else f"{seconds:.0f} s"
    whole = int(seconds)
    for unit, below, name, small in ((60, _HOUR, "min", "s"), (_HOUR, _DAY, "h", "min")):
        if whole < below:
            rest = whole % unit // (1 if small == "s" else _MINUTE)
            return f"{whole // unit} {name} {rest} {small}"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def moment(at: str | None) -> str:
    """Return a time of the API to the second; None is a dash."""
    if at is None:
        return NOTHING
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def clock(at: str) -> str:
    """Return a time of the API to the millisecond, without its day."""
    return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S.%f")[:-3]


def size(octets: int | None) -> str:
    """Return an amount of memory; None is a dash."""
    if octets is None:
        return NOTHING
    number = float(octets)
    for unit in ("B", "KiB", "MiB"):
        if number < _KIB:
            return f"{number:.0f} {unit}"
        number /= _KIB
    return f"{number:.1f} GiB"


def counted(number: int, name: str) -> str:
    """Return a number of things: "1 task", "2,000 tasks"."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def known(value: Any) -> str:
    """Return a value as text; None is a dash."""
    return NOTHING if value is None else str(value)
