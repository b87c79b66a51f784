"""Numbers, sizes and times as people read them, in their language.

The browser words what changes on an open page; static/js/formats.js says the same things there, and
a browser test holds the two against each other.
"""

from datetime import UTC, datetime

import msgspec

from pooldeck_server.domain.clock import seconds
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.json_escapes import unescaped
from pooldeck_server.web.text.zones import local, offset_name

NOTHING = "\N{EN DASH}"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_FEW_MILLISECONDS = 0.01
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def duration(seconds: float | None) -> str:
    """Return a length of time in at most two units; `seconds` None is a dash."""
    if seconds is None:
        return NOTHING
    if seconds < _MINUTE:
        return _under_a_minute(max(seconds, 0.0))
    whole = int(seconds)
    if whole < _HOUR:
        return _("%(minutes)s min %(seconds)s s", minutes=whole // _MINUTE, seconds=whole % _MINUTE)
    if whole < _DAY:
        minutes = whole % _HOUR // _MINUTE
        return _("%(hours)s h %(minutes)s min", hours=whole // _HOUR, minutes=minutes)
    return _("%(days)s d %(hours)s h", days=whole // _DAY, hours=whole % _DAY // _HOUR)


def call_time(seconds: float) -> str:
    """Return how long a call takes, with parts of milliseconds where it takes few.

    static/js/experiment_curve.js words it so too.
    """
    if seconds >= _FEW_MILLISECONDS:
        return duration(seconds)
    return _("%(n)s ms", n=rate(1000 * seconds))


def _under_a_minute(seconds: float) -> str:
    milliseconds = int(seconds * 1000)
    if milliseconds < 1:
        return _("under 1 ms") if seconds else _("%(n)s s", n=0)
    if milliseconds < 1000:  # noqa: PLR2004 - the thousand of a unit
        return _("%(n)s ms", n=milliseconds)
    tenths = milliseconds // 100
    number = f"{tenths // 10}.{tenths % 10}" if seconds < 10 else tenths // 10  # noqa: PLR2004 - two digits
    return _("%(n)s s", n=number)


def ago(at: int | None, now: int) -> str:
    """Return how long before `now` (or after it) `at` was; both in microseconds.

    The past is told in whole units that have passed; what is to come to the next smaller unit,
    since who waits for it wants to know whether 2 or nearly 3 days are left.
    """
    if at is None:
        return NOTHING
    age = seconds(now - at)
    if abs(age) < 1:
        return _("just now")
    if age > 0:
        return _("%(span)s ago", span=coarse(int(age)))
    return _("in %(span)s", span=_ahead(-age))


def _ahead(seconds: float) -> str:
    """Return a time to come in two units at most, rounded to the smaller one."""
    whole = int(seconds + 0.5)
    if whole < _MINUTE:
        return _("%(n)s s", n=whole)
    unit = 1 if whole < _HOUR else _MINUTE if whole < _DAY - _MINUTE // 2 else _HOUR
    return _without_nothing((whole + unit // 2) // unit * unit)


def _without_nothing(seconds: int) -> str:
    """Return a length of time of at least a minute in two units, in one where the other is 0."""
    for unit, part in ((_DAY, _HOUR), (_HOUR, _MINUTE), (_MINUTE, 1)):
        if seconds >= unit:
            return duration(seconds) if seconds % unit // part else coarse(seconds)
    return coarse(seconds)


def coarse(seconds: int) -> str:
    """Return a time in whole units of the largest that it reaches: "10 min"."""
    if seconds >= _DAY:
        return _("%(n)s d", n=seconds // _DAY)
    if seconds >= _HOUR:
        return _("%(n)s h", n=seconds // _HOUR)
    if seconds >= _MINUTE:
        return _("%(n)s min", n=seconds // _MINUTE)
    return _("%(n)s s", n=seconds)


def count(number: int) -> str:
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
    return NOTHING if value is None else f"{int(value + 0.5)} %"


def share(value: float | None) -> str:
    return percent(None if value is None else 100 * value)


def rate(value: float) -> str:
    """Return how often or how many on average: whole from 10 on, else with a decimal or two."""
    if value >= 10:  # noqa: PLR2004 - two digits
        return count(int(value + 0.5))
    steps = 10 if value >= 1 else 100
    return f"{int(value * steps + 0.5) / steps:g}"


def moment(at: int | None) -> str:
    """Return a wall-clock time (microseconds since the epoch) to the millisecond, with its zone."""
    return NOTHING if at is None else f"{_wall(at)} {offset_name(at)}"


def minute(at: int) -> str:
    """Return a wall-clock time (microseconds since the epoch) to the minute, with its zone."""
    return f"{local(at):%Y-%m-%d %H:%M} {offset_name(at)}"


def clock(at: int) -> str:
    """Return the time of day of `at` (microseconds since the epoch) to the millisecond.

    Where it stands, the page names the zone.
    """
    return _wall(at).partition(" ")[2]


def second(at: int) -> str:
    """Return the time of day of `at` (microseconds since the epoch) to the second, and its zone."""
    return f"{local(at):%H:%M:%S} {offset_name(at)}"


def in_field(at: int | None) -> str:
    """Return a time as a field of a form holds it, in the reader's zone; None: empty."""
    return "" if at is None else f"{local(at):%Y-%m-%dT%H:%M:%S}"


def _wall(at: int) -> str:
    return f"{local(at):%Y-%m-%d %H:%M:%S}.{at // 1000 % 1000:03d}"


def iso(at: int) -> str:
    """Return `at` (microseconds since the epoch) as RFC 3339, for machines that read the page."""
    return datetime.fromtimestamp(seconds(at), UTC).isoformat().replace("+00:00", "Z")


def sentence(detail: str) -> str:
    return f"{detail[:1].upper()}{detail[1:]}."


def short_name(function: str) -> str:
    return function.rpartition(".")[2]


def call_summary(args: str | None, kwargs: str | None, limit: int = 120) -> str:
    """Return JSON arguments on one line, `1, "b", width=3`, cut after `limit` characters."""
    if args is None or kwargs is None:
        return _("too large to show here")
    positional = msgspec.json.decode(args, type=list[msgspec.Raw])
    named = msgspec.json.decode(kwargs, type=dict[str, msgspec.Raw])
    parts = [_text(value) for value in positional]
    parts += [f"{name}={_text(value)}" for name, value in named.items()]
    line = ", ".join(parts)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _text(value: msgspec.Raw) -> str:
    return unescaped(bytes(value).decode())
