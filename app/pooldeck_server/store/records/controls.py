"""What outlives a run of the server beside tasks: incidents, holds, settings by hand, the runs."""

import msgspec
from msgspec import Struct
from sqlalchemy import Table, delete, update
from sqlalchemy.dialects.sqlite import insert

from pooldeck_server.domain.failures.incidents import StoredIncident
from pooldeck_server.domain.pools.controls import Hold, PoolControl, ServerRun, StartReport
from pooldeck_server.store.tables import controls, holds, incidents, runs
from pooldeck_server.store.transaction import Transaction


def save_incident(transaction: Transaction, incident: StoredIncident) -> None:
    """Keep an incident, in place of what was kept of the same id."""
    text = msgspec.json.encode(incident).decode()
    first = insert(incidents).values(id=incident.id, pool=incident.pool, incident=text)
    known = first.on_conflict_do_update(index_elements=[incidents.c.id], set_={"incident": text})
    transaction.connection.execute(known)


def save_hold(transaction: Transaction, hold: Hold) -> None:
    """Put a function on hold, or say anew why it is."""
    _save(transaction, holds, hold)


def lift_hold(transaction: Transaction, function: str) -> bool:
    """Release a function; return whether it was on hold."""
    lifted = transaction.connection.execute(delete(holds).where(holds.c.function == function))
    return lifted.rowcount > 0


def save_control(transaction: Transaction, control: PoolControl) -> None:
    """Keep what was set by hand for a pool, in place of what was set before."""
    _save(transaction, controls, control)


def _save(transaction: Transaction, kept: Table, value: Struct) -> None:
    """Keep `value`, whose fields are the columns of `kept`, in place of the row of the same key."""
    columns = msgspec.structs.asdict(value)
    row = insert(kept).values(columns)
    transaction.connection.execute(
        row.on_conflict_do_update(index_elements=list(kept.primary_key), set_=columns)
    )


def begin_run(transaction: Transaction, run: ServerRun) -> None:
    """Note that this server runs from now on."""
    transaction.connection.execute(
        insert(runs).values(boot=run.boot, pid=run.pid, started_at=run.started_at)
    )


def save_report(transaction: Transaction, boot: str, report: StartReport) -> None:
    """Keep what the start of the run `boot` found."""
    text = msgspec.json.encode(report).decode()
    transaction.connection.execute(update(runs).where(runs.c.boot == boot).values(report=text))


def end_run(transaction: Transaction, boot: str, now: int) -> None:
    """Note that the run `boot` ended in order at `now` (microseconds since the epoch)."""
    transaction.connection.execute(update(runs).where(runs.c.boot == boot).values(ended_at=now))
