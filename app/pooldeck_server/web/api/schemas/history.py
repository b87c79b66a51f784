"""History as the API shows it: a series over time for a chart, and what was done meanwhile."""

from typing import Annotated, Any, Self

from msgspec import Meta, Struct

from pooldeck_server.domain.clock import seconds
from pooldeck_server.domain.pools import annotations, history
from pooldeck_server.web.api.schemas.types import Timestamp, shown

_EpochSeconds = Annotated[float, Meta(description="Seconds since the epoch.")]


class Mark(Struct, frozen=True):
    """Something that was done or happened, on a chart; `href` is the page that tells more."""

    at: _EpochSeconds
    kind: annotations.Kind
    pool: str | None
    subject: str | None
    data: dict[str, Any]
    reason: str | None
    href: str | None


class History(Struct, frozen=True):
    """A series over time, in `unit`; each point covers `step` seconds.

    `at` says where the points begin, in seconds since the epoch. A line has a value for each of
    them; null where no server ran, and where there was nothing to take a percentile of.
    """

    series: history.Series
    unit: str
    period: int
    step: int
    at: tuple[int, ...]
    lines: tuple[history.ChartLine, ...]
    annotations: list[Mark]

    @classmethod
    def of(cls, chart: history.Chart) -> Self:
        marks = [shown(Mark, each, at=seconds(each.at)) for each in chart.annotations]
        return shown(cls, chart, annotations=marks)


class Annotation(Struct, frozen=True):
    """Something that was done to a pool, or that befell it.

    `pool` is null where it concerns all of them. `subject` is the worker, the task or the function
    that it is about, `data` what else is known, `reason` what a person gave for it, and `href` the
    page that tells more.
    """

    at: Timestamp
    kind: annotations.Kind
    pool: str | None
    subject: str | None
    data: dict[str, Any]
    reason: str | None
    href: str | None


class AnnotationList(Struct, frozen=True):
    """Annotations, newest first."""

    items: list[Annotation]
