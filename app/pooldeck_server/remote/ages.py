"""Lengths of time such as "2h", and moments told by them: the API takes seconds, and dates."""

import math
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import typer

_LENGTH: Final = re.compile(r"(\d{1,6})([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment_of(text: str, *, ahead: bool = False) -> str:
    """Return a moment as the API takes it.

    Args:
        text: A date and a time, or a length of time such as 30s, 5m, 2h, 3d, 1w.
        ahead: Whether a length of time counts from now on, and not back.

    Raises:
        typer.BadParameter: If it is neither.
    """
    if (length := _length(text)) is not None:
        now = datetime.now(UTC)
        return (now + length if ahead else now - length).isoformat()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        other = "2h, for in two hours" if ahead else "an age such as 2h"
        raise typer.BadParameter(
            f"{text} is no time: give one such as 2026-11-30T09:00, or {other}"
        ) from None
    return (at if at.tzinfo else at.astimezone()).isoformat()


def seconds_of(text: str) -> float:
    """Return the seconds of a length of time: a number of them, or one such as 30s, 5m, 2h.

    Raises:
        typer.BadParameter: If it is neither.
    """
    if (length := _length(text)) is not None:
        return length.total_seconds()
    with suppress(ValueError):
        if math.isfinite(seconds := float(text)):
            return seconds
    raise typer.BadParameter(f"{text} is no length of time: give seconds, or such as 30s, 5m, 2h")


def _length(text: str) -> timedelta | None:
    found = _LENGTH.fullmatch(text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
