"""The data of an experiment's page, read in one transaction."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection

from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.measurements.experiments import StoredExperiment
from pooldeck_server.store import queries

_OTHERS: Final = 8  # experiments of the same function


class ExperimentData(Struct, frozen=True):
    """An experiment, others of its function, and one to compare it with, if one is asked for."""

    experiment: StoredExperiment
    others: Sequence[StoredExperiment]
    beside: StoredExperiment | None


def read(
    connection: Connection, experiment_id: str, beside: str, present: StoredExperiment | None
) -> ExperimentData:
    """Read an experiment; `present` is the one that runs, which is ahead of what is stored of it.

    Raises:
        NotFound: If there is none of that id, or none of `beside`, unless that is empty.
    """
    it = _one(connection, experiment_id, present)
    alike = queries.experiments(connection, it.function, _OTHERS + 1)
    others = [_fresh(each, present) for each in alike if each.id != it.id]
    return ExperimentData(
        it, others[:_OTHERS], _one(connection, beside, present) if beside else None
    )


def _one(
    connection: Connection, experiment_id: str, present: StoredExperiment | None
) -> StoredExperiment:
    found = queries.experiment(connection, experiment_id)
    if found is None:
        raise NotFound(f"there is no experiment {experiment_id}")
    return _fresh(found, present)


def _fresh(stored: StoredExperiment, present: StoredExperiment | None) -> StoredExperiment:
    return present if present is not None and present.id == stored.id else stored
