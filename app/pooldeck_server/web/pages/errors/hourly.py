"""Failures by hour, drawn as bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pooldeck_server.web.text.i18n import ngettext

_DAY: Final = 24  # hours
_BAR_WIDTH: Final = 4
_BAR_GAP: Final = 1


@dataclass(frozen=True)
class Spark:
    """Failures by hour as bars: the `path` of a drawing of `width` by `height`, and in words."""

    path: str
    width: int
    height: int
    words: str
    total: int
    most: int


def spark(hours: Sequence[int], height: int) -> Spark:
    """Return failures by hour as bars of at most `height`; an hour with any has one to be seen."""
    most = max(hours, default=0)
    bars = []
    for place, number in enumerate(hours):
        if number:
            tall = max(2, round(height * number / most))
            left = place * (_BAR_WIDTH + _BAR_GAP)
            bars.append(f"M{left},{height}v-{tall}h{_BAR_WIDTH}v{tall}z")
    width = len(hours) * (_BAR_WIDTH + _BAR_GAP) - _BAR_GAP
    return Spark("".join(bars), width, height, _spark_words(hours), sum(hours), most)


def _spark_words(hours: Sequence[int]) -> str:
    total, days = sum(hours), len(hours) // _DAY
    if days == 1:
        return ngettext("%(num)s failure in 24 h", "%(num)s failures in 24 h", total)
    return ngettext(
        "%(num)s failure in %(days)s days", "%(num)s failures in %(days)s days", total, days=days
    )
