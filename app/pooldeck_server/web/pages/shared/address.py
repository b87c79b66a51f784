"""Addresses of pages: a path with its parameters, and times as they stand in them."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from pooldeck_server.domain.clock import micros
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.web.text.i18n import later
from pooldeck_server.web.text.zones import UTC_NAME, UnclearTimeError, moment_of

LATEST: Final = 10**16
"""Microseconds since the epoch: the year 2286, the end of what addresses name."""

PERIODS: Final = (
    ("1h", later("last hour")),
    ("24h", later("last 24 hours")),
    ("7d", later("last 7 days")),
    ("30d", later("last 30 days")),
    ("", later("all")),
)
"""The lengths of time that lists offer, as addresses give them, with their words."""

_LENGTH: Final = re.compile(r"([1-9][0-9]{0,3})([mhd])")
_UNITS: Final = {"d": 24 * 3600, "h": 3600, "m": 60}  # seconds
_LONGEST: Final = 40  # characters of a wrong time that are said again


def address(path: str, query: Sequence[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def further(path: str, query: Sequence[tuple[str, str]], cursor: str | None) -> str | None:
    return address(path, [*query, ("cursor", cursor)]) if cursor else None


def seconds_of(length: str | None) -> int | None:
    """Return a length of time such as "15m", "24h" or "7d" in seconds; None if it is none."""
    found = _LENGTH.fullmatch(length or "")
    return None if found is None else int(found[1]) * _UNITS[found[2]]


def length_of(seconds: int) -> str:
    """Return a length of time, of whole minutes, as addresses give it: "15m", "24h"."""
    hours, rest = divmod(seconds, 3600)
    return f"{seconds // 60}m" if rest else f"{hours}h"


def read_time(
    name: str, text: str, example: str = "2026-11-30T09:00:00Z", zone: str = UTC_NAME
) -> int:
    """Return a time in microseconds since the epoch; without an offset it is one of `zone`.

    Raises:
        InvalidRequest: If `text` is none, or clocks of the zone show it never or twice; it names
            the parameter `name`, and shows `example`.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        detail = f'{name}: "{text[:_LONGEST]}" is no time: write {example}'
        raise InvalidRequest(detail) from None
    try:
        moment = moment if moment.tzinfo else moment_of(moment, zone)
    except UnclearTimeError as unclear:
        raise InvalidRequest(f"{name}: {unclear}") from None
    return min(max(0, micros(moment)), LATEST)
