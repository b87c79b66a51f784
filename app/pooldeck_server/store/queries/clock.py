"""What the store knows of the time that has passed."""

from sqlalchemy import Connection, func, select

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.leaps import ClockLeap, ClockMemory
from pooldeck_server.domain.pools.history import STRETCH
from pooldeck_server.store.tables import retention, runs, samples, tasks

_of_leap = (retention.c.leapt_from, retention.c.leapt_to, retention.c.leap_settles)
_latest_run = select(func.coalesce(runs.c.ended_at, runs.c.started_at)).order_by(runs.c.n.desc())
_latest_task = select(tasks.c.created_at).order_by(tasks.c.seq.desc())
_latest_sample = select(func.max(samples.c.at)).where(samples.c.seconds == STRETCH)


def clock_memory(connection: Connection) -> ClockMemory:
    """Return the newest moment of which anything is kept, and the leap that is doubted."""
    known = [connection.execute(query.limit(1)).scalar() for query in (_latest_run, _latest_task)]
    sample = connection.execute(_latest_sample).scalar()
    known += [None if sample is None else sample * SECOND]
    row = connection.execute(select(*_of_leap)).one()
    leap = None
    if row.leapt_from is not None:
        leap = ClockLeap(row.leapt_from, row.leapt_to, bool(row.leap_settles))
    return ClockMemory(max((each for each in known if each is not None), default=None), leap)
