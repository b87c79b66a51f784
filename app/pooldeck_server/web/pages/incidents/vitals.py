"""The last minute of a worker as two small charts: its memory, and its CPU time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.failures.incidents import VitalSample
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _

WIDTH: Final = 320
HEIGHT: Final = 64
_FEWEST: Final = 2  # looks that make a line
_WHOLE_CORE: Final = 100.0  # percent


@dataclass(frozen=True)
class VitalChart:
    """A line over time, up to the worker's end at the right: the `d` of an SVG path.

    `top` is the value at the upper edge, `last` that of the last look.
    """

    name: str
    path: str
    top: str
    last: str


@dataclass(frozen=True)
class VitalCharts:
    """The charts, over so many `seconds` before the end; the last look was `before` it."""

    charts: tuple[VitalChart, ...]
    seconds: str
    before: str
    width: int = WIDTH
    height: int = HEIGHT


def vital_charts(samples: Sequence[VitalSample]) -> VitalCharts | None:
    """Return the charts of a worker's last minute; None if it was looked at less than twice."""
    if len(samples) < _FEWEST:
        return None
    times = [each.before for each in samples]
    memory = [float(each.rss_bytes) for each in samples]
    cpu = [each.cpu_percent for each in samples]
    most_memory, most_cpu = max(memory), max(*cpu, _WHOLE_CORE)
    return VitalCharts(
        charts=(
            VitalChart(
                _("Memory"),
                _path(times, memory, most_memory),
                formats.size(int(most_memory)),
                formats.size(int(memory[-1])),
            ),
            VitalChart(
                _("CPU"),
                _path(times, cpu, most_cpu),
                formats.percent(most_cpu),
                formats.percent(cpu[-1]),
            ),
        ),
        seconds=formats.duration(times[0]),
        before=formats.duration(times[-1]),
    )


def _path(times: Sequence[float], values: Sequence[float], top: float) -> str:
    longest = times[0] or 1.0
    points = (
        f"{WIDTH - WIDTH * at / longest:.1f},{HEIGHT - (HEIGHT - 2) * value / (top or 1.0):.1f}"
        for at, value in zip(times, values, strict=True)
    )
    return "M" + "L".join(points)
