"""What the doctor found: what it is about, how bad it is, what to do."""

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    LOOK = "look"  # it works, and somebody should look at it
    WRONG = "wrong"  # it does not work, or will lose something

    @property
    def exit_code(self) -> int:
        return _CODES[self]


_CODES: Final = {Level.OK: 0, Level.LOOK: 1, Level.WRONG: 2}


class CheckResult(Struct, frozen=True):
    """One thing that was looked at."""

    topic: str
    level: Level
    text: str
    mend: str | None = None  # what to do


def ok(topic: str, text: str) -> CheckResult:
    return CheckResult(topic, Level.OK, text)


def look(topic: str, text: str, mend: str) -> CheckResult:
    return CheckResult(topic, Level.LOOK, text, mend)


def wrong(topic: str, text: str, mend: str) -> CheckResult:
    return CheckResult(topic, Level.WRONG, text, mend)


def size(octets: float) -> str:
    """Return a number of bytes for people, such as "1.5 GiB"."""
    for unit in ("B", "KiB", "MiB"):
        if octets < 1024:  # noqa: PLR2004 - of the next unit
            return f"{octets:.0f} {unit}"
        octets /= 1024
    return f"{octets:.1f} GiB"
