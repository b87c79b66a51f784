"""Incidents as the API shows them."""

from typing import Annotated, Literal, Self

from msgspec import Meta, Struct

from pooldeck_server.domain.failures import incidents
from pooldeck_server.domain.failures.incidents import Bystander, TaskName, VitalSample
from pooldeck_server.domain.pools.hosts import host_of
from pooldeck_server.web.api.schemas.types import Timestamp, optional_timestamp, shown, timestamp


class Incident(Struct, frozen=True):
    """A worker's unexpected death. Kills that the server itself made are none.

    `culprit` is named where it can be known; where it cannot, `suspects` are all that ran, and
    those that had ended and left something running.
    """

    id: str
    pool: str
    worker: str
    host: Annotated[str | None, Meta(description="Null: the server's own machine.")]
    pid: int | None
    detected_at: Timestamp
    cause: Annotated[str, Meta(description="In words.", examples=["killed by SIGSEGV"])]
    signal: int | None
    exit_code: int | None
    error_type: Literal["BrokenProcessPool"]
    culprit: TaskName | None
    suspects: tuple[TaskName, ...]
    bystanders: tuple[Bystander, ...]
    traceback: str | None
    peak_rss_bytes: int | None
    recovered_at: Annotated[
        Timestamp | None, Meta(description="When the pool was whole again; null until then.")
    ]
    recovery_ms: float | None
    vitals: Annotated[
        tuple[VitalSample, ...],
        Meta(description="What looks at the worker found in its last minute, the earliest first."),
    ]

    @classmethod
    def of(cls, incident: incidents.StoredIncident) -> Self:
        return shown(
            cls,
            incident,
            detected_at=timestamp(incident.detected_at),
            host=host_of(incident.worker),
            error_type="BrokenProcessPool",
            recovered_at=optional_timestamp(incident.recovered_at),
        )


class IncidentList(Struct, frozen=True):
    """A page of incidents, newest first; `next_cursor` continues it, null at the end."""

    items: list[Incident]
    next_cursor: str | None
