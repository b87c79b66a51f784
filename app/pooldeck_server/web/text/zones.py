"""The time zone in which pages tell times: what the reader chose, for the request that is answered.

Times are stored, sent by the API and logged in UTC; only pages are told in another zone, and they
name it. static/js/zone.js tells times in the same zone in the browser.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pooldeck_server.domain.clock import seconds
from pooldeck_server.web.text.i18n import _

UTC_NAME: Final = "UTC"
_YEARS: Final = range(1900, 9000)  # in which every zone can tell a time
_NO_ZONES: Final = ("posix/", "right/", "posixrules", "localtime", "Factory")
_NAMES_KEPT: Final = 700

_zone: ContextVar[str] = ContextVar("zone", default=UTC_NAME)


@contextmanager
def times_in(name: str) -> Iterator[None]:
    """Have the times of the body in a zone, where it is one of those there are; else in UTC."""
    token = _zone.set(name if is_zone(name) else UTC_NAME)
    try:
        yield
    finally:
        _zone.reset(token)


def zone_name() -> str:
    """Return the name of the reader's zone, such as "UTC" or "Europe/Berlin"."""
    return _zone.get()


def local(at: int) -> datetime:
    """Return a moment (microseconds since the epoch) in the reader's zone."""
    return datetime.fromtimestamp(seconds(at), UTC).astimezone(zone(_zone.get()))


def offset_name(at: int) -> str:
    """Return how far the reader's zone is from UTC at a moment: "UTC", "UTC+8", "UTC-3:30"."""
    return offset_words(local(at).utcoffset() or timedelta())


def zone_words(name: str, now: int) -> str:
    """Return a zone's name with how far it is from UTC now: "Europe/Berlin (UTC+1)"."""
    offset = offset_words(
        datetime.fromtimestamp(seconds(now), zone(name)).utcoffset() or timedelta()
    )
    return name if offset == name else f"{name} ({offset})"


def offset_words(offset: timedelta) -> str:
    whole = int(offset.total_seconds())
    if not whole:
        return UTC_NAME
    hours, rest = divmod(abs(whole), 3600)
    minutes, odd = divmod(rest, 60)
    tail = f":{minutes:02d}" if minutes or odd else ""
    return f"UTC{'-' if whole < 0 else '+'}{hours}{tail}" + (f":{odd:02d}" if odd else "")


def is_zone(name: str) -> bool:
    return name in zone_names()


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all zones that are known here; UTC is always one."""
    names = (name for name in available_timezones() if not name.startswith(_NO_ZONES))
    return frozenset({UTC_NAME, *names})


@lru_cache(_NAMES_KEPT)
def zone(name: str) -> tzinfo:
    """Return a zone by a name of `zone_names`."""
    try:
        return UTC if name == UTC_NAME else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC  # its file has gone since


class UnclearTimeError(ValueError):
    """A time that clocks of a zone never show, or show twice; it says so in words for people."""


def moment_of(wall: datetime, name: str) -> datetime:
    """Return when clocks of a zone show a time, as somebody reads it off one.

    Args:
        wall: Without a zone.
        name: Of a zone; an unknown one is UTC.

    Raises:
        UnclearTimeError: If that is never, or twice, as where clocks are put forward or back.
    """
    if name == UTC_NAME or not is_zone(name) or wall.year not in _YEARS:
        return wall.replace(tzinfo=UTC)
    found = _moments(wall, zone(name))
    shown = wall.isoformat(timespec="minutes")
    if not found:
        raise UnclearTimeError(
            _(
                "%(time)s does not exist in %(zone)s: the clocks are put forward past it",
                time=shown,
                zone=name,
            )
        )
    if len(found) > 1:
        first, second = (each.isoformat(timespec="minutes") for each in found)
        raise UnclearTimeError(
            _(
                "%(time)s comes twice in %(zone)s, since the clocks are put back: write %(first)s "
                "for the first or %(second)s for the second time",
                time=shown,
                zone=name,
                first=first,
                second=second,
            )
        )
    return found[0].astimezone(UTC)


def _moments(wall: datetime, tz: tzinfo) -> list[datetime]:
    """Return the moments at which clocks show a time: one, none in a gap, two in a fold."""
    both = (wall.replace(tzinfo=tz, fold=fold) for fold in (0, 1))
    real = [each for each in both if _as_shown(each.astimezone(UTC), tz) == wall]
    apart = {each.astimezone(UTC): each.utcoffset() or timedelta() for each in real}
    return [moment.astimezone(timezone(offset)) for moment, offset in apart.items()]


def _as_shown(moment: datetime, tz: tzinfo) -> datetime:
    return moment.astimezone(tz).replace(tzinfo=None, fold=0)


def typed_moment(value: str, zone: str) -> str:
    """Return a moment that was typed, as the API takes it: without an offset it is of `zone`.

    What is no time is left for the API to refuse.

    Raises:
        UnclearTimeError: If clocks of the zone show it never or twice.
    """
    try:
        typed = datetime.fromisoformat(value)
    except ValueError:
        return value
    moment = typed if typed.tzinfo else moment_of(typed, zone)
    return moment.isoformat().replace("+00:00", "Z")


def typing_of(at: int) -> str:
    """Return a moment as a field for a date and a time has it, in the reader's zone."""
    return local(at).replace(tzinfo=None).isoformat(timespec="seconds")
