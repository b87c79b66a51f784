"""Keeps what is known of each worker's death, and counts the functions' share in them."""

import logging
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from pooldeck.pools.listener import Death
from pooldeck.protocol import Call
from pooldeck_server.domain.clock import SECOND, Clock, span
from pooldeck_server.domain.failures.incidents import Bystander, StoredIncident, TaskName
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.vitals import WorkerVitals

_log = logging.getLogger(__name__)

LATELY_SECONDS: Final = 24 * 3600
"""How far back the number of late incidents goes."""

_LATEST: Final = 32  # that are at hand without the store


@dataclass(kw_only=True, eq=False)
class Incidents:
    """The incidents of all pools."""

    recorder: Recorder
    clock: Clock
    holds: Holds
    annotations: Annotations
    counts: "Counter[str]"  # how many are kept of each pool
    times: deque[int]  # of the late ones, in microseconds since the epoch, oldest first
    _open: dict[str, StoredIncident] = field(init=False, default_factory=dict)  # by worker

    def __post_init__(self) -> None:
        self._ids = TaskIds(self.clock)
        self.deaths: Counter[tuple[str, str]] = Counter()  # since the start, by pool and kind
        self._latest: deque[StoredIncident] = deque(maxlen=_LATEST)
        self.vitals = WorkerVitals()

    def number(self, pool: str) -> int:
        return self.counts[pool]

    def latest(self, pool: str, seconds: float) -> Iterator[StoredIncident]:
        """Yield the incidents of a pool in the last `seconds`, the latest first."""
        since = self.clock.now() - span(seconds)
        for incident in reversed(self._latest):
            if incident.pool == pool and incident.detected_at >= since:
                yield incident

    def lately(self) -> int:
        """Return how many there were in the last `LATELY_SECONDS`, over all pools."""
        since = self.clock.now() - LATELY_SECONDS * SECOND
        while self.times and self.times[0] < since:
            self.times.popleft()
        return len(self.times)

    def add_death(self, pool: str, death: Death, became: Mapping[str, State]) -> None:
        age = self.clock.monotonic() - death.detected_at
        incident = StoredIncident(
            id=self._ids.next(),
            pool=pool,
            worker=death.worker,
            pid=death.pid or None,
            detected_at=self.clock.now() - span(age),
            cause=death.cause,
            signal=death.signal,
            exit_code=death.exit_code,
            culprit=_name(death.culprit) if death.culprit else None,
            suspects=tuple(map(_name, death.suspects)),
            bystanders=tuple(
                Bystander(call.task, became.get(call.task, State.LOST)) for call in death.bystanders
            ),
            traceback=death.traceback,
            peak_rss_bytes=death.peak_rss_bytes,
            vitals=self.vitals.before(death.worker, death.detected_at),
        )
        self.counts[pool] += 1
        self.deaths[pool, incident.kind] += 1
        self.times.append(incident.detected_at)
        self._open[death.worker] = incident
        self._latest.append(incident)
        self.recorder.record_incident(incident)
        self.annotations.annotate(
            "crash", pool, death.worker, incident=incident.id, cause=death.cause
        )
        _say_death(incident)
        if death.culprit:
            self.holds.add_death(death.culprit.function, death.cause)

    def add_recovery(self, worker: str, seconds: float) -> None:
        """Note how long after a worker's death its pool was whole again."""
        incident = self._open.pop(worker, None)
        if incident is not None:
            _log.debug("pool %s is whole again, %.3g s after %s", incident.pool, seconds, worker)
            self.recorder.record_incident(
                replace(
                    incident,
                    recovered_at=incident.detected_at + span(seconds),
                    recovery_ms=round(seconds * 1000, 3),
                )
            )


def _say_death(incident: StoredIncident) -> None:
    culprit = incident.culprit
    _log.warning(
        "worker %s (pid %s) %s %s: see /incidents/%s",
        incident.worker,
        incident.pid or "unknown",
        incident.sentence,
        incident.circumstances,
        incident.id,
        extra=about(
            pool=incident.pool,
            worker=incident.worker,
            pid=incident.pid,
            cause=incident.cause,
            task=culprit.task if culprit else None,
            function=culprit.function if culprit else None,
            incident=incident.id,
        ),
    )


def _name(call: Call) -> TaskName:
    return TaskName(call.task, call.function)
