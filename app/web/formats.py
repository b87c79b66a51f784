"""Numbers, sizes and times as people read them.

The browser words what changes on an open page; static/js/formats.js says the same things there, and
a browser test holds the two against each other.
"""

from datetime import UTC, datetime

import msgspec

NOTHING = "\N{EN DASH}"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_LARGEST_PRETTY = 64 * 1024  # characters of JSON that a page shows


def duration(seconds: float | None) -> str:
    """Return a length of time in at most two units; `seconds` None is a dash."""
    if seconds is None:
        return NOTHING
    if seconds < _MINUTE:
        return _under_a_minute(max(seconds, 0.0))
    whole = int(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def _under_a_minute(seconds: float) -> str:
    milliseconds = int(seconds * 1000)
    if milliseconds < 1:
        return "under 1 ms" if seconds else "0 s"
    if milliseconds < 1000:  # noqa: PLR2004 - the thousand of a unit
        return f"{milliseconds} ms"
    tenths = milliseconds // 100
    return f"{tenths // 10}.{tenths % 10} s" if seconds < 10 else f"{tenths // 10} s"  # noqa: PLR2004 - two digits


def ago(at: int | None, now: int) -> str:
    """Return how long before `now` (or after it) `at` was; both in microseconds."""
    if at is None:
        return NOTHING
    seconds = (now - at) / 1_000_000
    if abs(seconds) < 1:
        return "just now"
    words = _coarse(int(abs(seconds)))
    return f"{words} ago" if seconds > 0 else f"in {words}"


def _coarse(seconds: int) -> str:
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def count(number: int) -> str:
    """Return a whole number with its thousands apart."""
    return f"{number:,}"


def size(octets: int | None) -> str:
    """Return a number of bytes in the largest unit that fits."""
    if octets is None:
        return NOTHING
    step = min(max(octets.bit_length() - 1, 0) // 10, len(_UNITS) - 1)
    tenths = octets * 10 // 1024**step
    small = step > 0 and tenths < 100  # noqa: PLR2004 - two digits
    number = f"{tenths // 10}.{tenths % 10}" if small else f"{tenths // 10}"
    return f"{number} {_UNITS[step]}"


def percent(value: float | None) -> str:
    """Return a percentage without decimals."""
    return NOTHING if value is None else f"{int(value + 0.5)} %"


def moment(at: int | None) -> str:
    """Return a wall-clock time (microseconds since the epoch) to the millisecond, in UTC."""
    if at is None:
        return NOTHING
    return f"{_utc(at):%Y-%m-%d %H:%M:%S}.{at // 1000 % 1000:03d} UTC"


def clock(at: int) -> str:
    """Return the time of day of `at` (microseconds since the epoch) to the millisecond, in UTC."""
    return f"{_utc(at):%H:%M:%S}.{at // 1000 % 1000:03d}"


def iso(at: int) -> str:
    """Return `at` (microseconds since the epoch) as RFC 3339, for machines that read the page."""
    return _utc(at).isoformat().replace("+00:00", "Z")


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1_000_000, UTC)


def pretty_json(text: str) -> str:
    """Return JSON text with its lines broken; its numbers and escapes stay as they were sent.

    Text over the bound of a page comes back as its beginning, as it is.
    """
    if len(text) > _LARGEST_PRETTY:
        return text[:_LARGEST_PRETTY]
    return msgspec.json.format(text, indent=2)


def is_cut(text: str) -> bool:
    """Tell whether `pretty_json` shows only the beginning of `text`."""
    return len(text) > _LARGEST_PRETTY


def sentence(detail: str) -> str:
    """Return what an error says as a sentence."""
    return f"{detail[:1].upper()}{detail[1:]}."


def short_name(function: str) -> str:
    """Return a function's name without its module."""
    return function.rpartition(".")[2]


def call_summary(args: str | None, kwargs: str | None, limit: int = 120) -> str:
    """Return JSON arguments on one line, `1, "b", width=3`, cut after `limit` characters."""
    if args is None or kwargs is None:
        return "too large to show here"
    positional = msgspec.json.decode(args, type=list[msgspec.Raw])
    named = msgspec.json.decode(kwargs, type=dict[str, msgspec.Raw])
    parts = [_text(value) for value in positional]
    parts += [f"{name}={_text(value)}" for name, value in named.items()]
    line = ", ".join(parts)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _text(value: msgspec.Raw) -> str:
    return bytes(value).decode()
