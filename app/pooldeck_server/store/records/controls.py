"""What outlives a run of the server beside tasks and history.

Incidents, experiments, functions on hold, what was set by hand for pools, and the runs themselves.
"""

from typing import Any

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Table, delete, func, update
from sqlalchemy.dialects.sqlite import insert

from pooldeck_server.domain.failures.incidents import StoredIncident
from pooldeck_server.domain.measurements.experiments import ExperimentState, StoredExperiment
from pooldeck_server.domain.pools.controls import Hold, PoolControl, ServerRun, StartReport
from pooldeck_server.store.tables import controls, experiments, holds, incidents, runs
from pooldeck_server.store.transaction import Transaction


def keep(transaction: Transaction, kept: Table, *rows: dict[str, Any], by: str = "") -> None:
    """Keep rows, each in place of the one of the same key: the table's own, or the column `by`."""
    keys = [kept.c[by]] if by else list(kept.primary_key)
    row = insert(kept)
    changed = {name: row.excluded[name] for name in rows[0] if kept.c[name] not in set(keys)}
    transaction.connection.execute(
        row.on_conflict_do_update(index_elements=keys, set_=changed), list(rows)
    )


def save_incident(transaction: Transaction, incident: StoredIncident) -> None:
    text = msgspec.json.encode(incident).decode()
    row = {"id": incident.id, "pool": incident.pool, "incident": text}
    keep(transaction, incidents, row, by="id")


def save_experiment(transaction: Transaction, experiment: StoredExperiment) -> None:
    names = ("id", "function", "state", "created_at", "finished_at")
    row = {name: getattr(experiment, name) for name in names}
    text = msgspec.json.encode(experiment).decode()
    keep(transaction, experiments, row | {"experiment": text}, by="id")


def stop_experiments(transaction: Transaction, now: int) -> int:
    """Note that what ran when the server died has stopped; return how many experiments that are."""
    stopped = ExperimentState.STOPPED.value
    told = func.json_set(
        experiments.c.experiment,
        *("$.state", stopped),
        *("$.ended_by", "server"),
        *("$.finished_at", now),
        *("$.now", None),
    )
    left = update(experiments).where(experiments.c.state == ExperimentState.RUNNING.value)
    values = {"state": stopped, "finished_at": now, "experiment": told}
    return transaction.connection.execute(left.values(values)).rowcount


def save_hold(transaction: Transaction, hold: Hold) -> None:
    keep(transaction, holds, asdict(hold))


def lift_hold(transaction: Transaction, function: str) -> bool:
    lifted = transaction.connection.execute(delete(holds).where(holds.c.function == function))
    return lifted.rowcount > 0


def save_control(transaction: Transaction, control: PoolControl) -> None:
    keep(transaction, controls, asdict(control))


def begin_run(transaction: Transaction, run: ServerRun) -> None:
    transaction.connection.execute(
        insert(runs).values(boot=run.boot, pid=run.pid, started_at=run.started_at)
    )


def save_report(transaction: Transaction, boot: str, report: StartReport) -> None:
    text = msgspec.json.encode(report).decode()
    transaction.connection.execute(update(runs).where(runs.c.boot == boot).values(report=text))


def end_run(transaction: Transaction, boot: str, now: int) -> None:
    """Note that the run `boot` ended in order at `now` (microseconds since the epoch)."""
    transaction.connection.execute(update(runs).where(runs.c.boot == boot).values(ended_at=now))
