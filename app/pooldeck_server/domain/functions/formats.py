"""Formats of text in JSON Schemas, checked as workers will read it."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec


class Format(NamedTuple):
    """How text of a format is read, what it is in words, and an example of it."""

    read: Callable[[str], Any]
    words: str
    example: str


def _as(kind: type) -> Callable[[str], Any]:
    return lambda text: msgspec.convert(text, kind)


_WHOLE_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)")
_NUMBER: Final = re.compile(rf"{_WHOLE_NUMBER.pattern}(\.\d+)?([eE][+-]?\d+)?")


def _as_written(pattern: re.Pattern[str]) -> Callable[[str], Any]:
    def read(text: str) -> None:
        if pattern.fullmatch(text) is None:
            raise ValueError(text)

    return read


def _read_moment(text: str) -> None:
    """Read a date, a date and a time, or a whole month or year."""
    kind = date if len(text) <= len("2026-01-31") else datetime
    months = {len("2026"): "-01-01", len("2026-01"): "-01"}
    _as(kind)(text + months.get(len(text), ""))


FORMATS: Final[Mapping[str, Format]] = {
    "date-time": Format(_as(datetime), "a date and a time", "2026-01-31T09:30:00Z"),
    "date": Format(_as(date), "a date", "2026-01-31"),
    "moment": Format(_read_moment, "a date, or a date and a time", "2026-01-31T09:30:00"),
    "time": Format(_as(time), "a time of day", "09:30:00"),
    "duration": Format(_as(timedelta), "a duration", "PT90S"),
    "uuid": Format(_as(UUID), "a UUID", "123e4567-e89b-42d3-a456-426614174000"),
    "decimal": Format(_as(Decimal), "a decimal number", "1.10"),
    "base64": Format(_as(bytes), "base64", "aGVsbG8="),
    "whole-number": Format(_as_written(_WHOLE_NUMBER), "a whole number", "7"),
    "number": Format(_as_written(_NUMBER), "a number", "0.5"),
    "fraction": Format(Fraction, "a fraction", "1/3"),
    "complex": Format(complex, "a complex number", "1+2j"),
    "time-zone": Format(ZoneInfo, "a time zone", "UTC"),
    "ipv4-network": Format(IPv4Network, "an IPv4 network", "10.0.0.0/8"),
    "ipv6-network": Format(IPv6Network, "an IPv6 network", "2001:db8::/32"),
    "ipv4-interface": Format(IPv4Interface, "an IPv4 address with its network", "10.0.0.1/8"),
    "ipv6-interface": Format(IPv6Interface, "an IPv6 address with its network", "2001:db8::1/32"),
}
"""Those that are checked here; of further ones the validator knows those of JSON Schema."""

EXAMPLES: Final[Mapping[str, str]] = {
    **{name: each.example for name, each in FORMATS.items()},
    "email": "somebody@example.org",
    "uri": "https://example.org/",
    "ipv4": "10.0.0.1",
    "ipv6": "::1",
    "hostname": "example.org",
    "path": "folder/file",
    "json-string": "{}",
}


def checks() -> dict[str, Callable[[str], bool]]:
    """Return a check for each format, as the validator takes them."""
    return {name: _check(each.read) for name, each in FORMATS.items()}


def _check(read: Callable[[str], Any]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            read(text)
        except Exception:  # noqa: BLE001 - each reader has errors of its own
            return False
        return True

    return fits
