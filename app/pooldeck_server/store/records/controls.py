"""What outlives a run of the server beside tasks and history.

Incidents, experiments, functions on hold, what was set by hand for pools, and the runs themselves.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from pooldeck_server.domain.alerts.rules import AlertFact, AlertRule
from pooldeck_server.domain.failures.incidents import StoredIncident
from pooldeck_server.domain.measurements.experiments import ExperimentState, StoredExperiment
from pooldeck_server.domain.notices import SeenNotice
from pooldeck_server.domain.pools.controls import (
    CutOff,
    Hold,
    HoldKind,
    PoolControl,
    ServerRun,
    StartReport,
)
from pooldeck_server.store.records.alerts import end_alert, raise_alerts
from pooldeck_server.store.tables import (
    controls,
    experiments,
    holds,
    identity,
    incidents,
    runs,
    seen_notices,
)
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
    known = select(incidents.c.id).where(incidents.c.id == incident.id)
    if transaction.connection.execute(known).scalar() is None:
        raise_alerts(transaction, [_death(incident)])
    text = msgspec.json.encode(incident).decode()
    row = {"id": incident.id, "pool": incident.pool, "incident": text}
    keep(transaction, incidents, row, by="id")


def _death(incident: StoredIncident) -> AlertFact:
    culprit = incident.culprit
    return AlertFact(
        rule=AlertRule.WORKER_DIED,
        subject=f"{culprit.function} in pool {incident.pool}"
        if culprit
        else f"pool {incident.pool}, culprit unknown",
        at=incident.detected_at,
        text=f"worker {incident.worker} {incident.sentence} {incident.circumstances}",
        path=f"/incidents/{incident.id}",
    )


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
    """Keep a hold; one that the server decided on itself is something to be told of."""
    keep(transaction, holds, asdict(hold))
    if hold.kind is not HoldKind.CRASHES:
        return
    fact = AlertFact(
        rule=AlertRule.FUNCTION_ON_HOLD,
        subject=hold.function,
        at=hold.since,
        text=hold.reason,
        path=f"/functions/{quote(hold.function)}",
    )
    raise_alerts(transaction, [fact])


def lift_hold(transaction: Transaction, function: str, now: int) -> bool:
    """Forget the hold on a function at `now`; return whether there was one."""
    lifted = transaction.connection.execute(delete(holds).where(holds.c.function == function))
    end_alert(transaction, AlertRule.FUNCTION_ON_HOLD, function, now)
    return lifted.rowcount > 0


def see_notice(transaction: Transaction, seen: SeenNotice) -> None:
    keep(transaction, seen_notices, asdict(seen))


def forget_notices(transaction: Transaction, keys: Sequence[str]) -> None:
    """Forget that notices were seen: they are over, or are to be told again."""
    seen = seen_notices.c.key.in_(keys)
    transaction.connection.execute(delete(seen_notices).where(seen))


def save_control(transaction: Transaction, control: PoolControl) -> None:
    keep(transaction, controls, asdict(control))


def settle_copy(transaction: Transaction, now: int) -> None:
    """Note that somebody has said what becomes of the tasks that waited in this copy."""
    transaction.connection.execute(update(identity).values(settled_at=now))


def begin_run(transaction: Transaction, run: ServerRun) -> None:
    transaction.connection.execute(
        insert(runs).values(boot=run.boot, pid=run.pid, started_at=run.started_at)
    )


def save_report(
    transaction: Transaction, boot: str, report: StartReport, *, is_news: bool = True
) -> None:
    """Keep what a start found; `is_news`: those are told by alerts whom it concerns."""
    text = msgspec.json.encode(report).decode()
    found = update(runs).where(runs.c.boot == boot).values(report=text).returning(runs.c.started_at)
    started_at = transaction.connection.execute(found).scalar_one()
    if report.cut_off and is_news:
        words = "the server before this one ended while tasks ran: "
        words += f"{report.lost} lost, {report.rerun} run again"
        fact = AlertFact(
            rule=AlertRule.LOSSY_STOP,
            subject="the server",
            at=started_at,
            text=words,
            path="/tasks?state=lost",
        )
        raise_alerts(transaction, [fact])


def end_run(transaction: Transaction, boot: str, now: int, cut_off: CutOff | None = None) -> None:
    """Note that the run `boot` ended in order at `now` (microseconds since the epoch)."""
    text = None if cut_off is None else msgspec.json.encode(cut_off).decode()
    ended = update(runs).where(runs.c.boot == boot)
    transaction.connection.execute(ended.values(ended_at=now, cut_off=text))
