"""Experiments, kept as they go on and for as long as the database."""

import msgspec
from sqlalchemy import func, update
from sqlalchemy.dialects.sqlite import insert

from pooldeck_server.domain.measurements.experiments import ExperimentState, StoredExperiment
from pooldeck_server.store.tables import experiments
from pooldeck_server.store.transaction import Transaction


def save_experiment(transaction: Transaction, experiment: StoredExperiment) -> None:
    """Keep an experiment, in place of what was kept of it before."""
    columns = {
        "function": experiment.function,
        "state": experiment.state,
        "created_at": experiment.created_at,
        "finished_at": experiment.finished_at,
        "experiment": msgspec.json.encode(experiment).decode(),
    }
    row = insert(experiments).values(id=experiment.id, **columns)
    known = row.on_conflict_do_update(index_elements=[experiments.c.id], set_=columns)
    transaction.connection.execute(known)


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
