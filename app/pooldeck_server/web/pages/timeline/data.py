"""The data of the timeline, read in one transaction."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.tasks.timeline import Timeline, TimelineRequest, unstored
from pooldeck_server.store import queries


class TimelineData(Struct, frozen=True):
    """What ran in a stretch of time, and what was done and happened then."""

    timeline: Timeline
    annotations: Sequence[StoredAnnotation]

    def up_to_now(
        self, pools: Sequence[PoolHealth], wanted: TimelineRequest, now: int
    ) -> "TimelineData":
        """Return it with what runs and is not stored yet, if the stretch reaches `now`."""
        if wanted.until < now:
            return self
        bars = self.timeline.bars
        fresh = unstored(bars, pools, wanted, now)
        return replace(self, timeline=replace(self.timeline, bars=(*fresh, *bars)))


def read(connection: Connection, wanted: TimelineRequest, pools: tuple[str, ...]) -> TimelineData:
    marks = queries.annotations(
        connection, since=wanted.since, until=wanted.until, pool=wanted.pool
    )
    return TimelineData(queries.timeline(connection, wanted, pools), marks)
