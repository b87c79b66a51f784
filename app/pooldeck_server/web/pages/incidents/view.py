"""The report of one incident: what died, how, when and of what, and what has become of it since."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

from pooldeck_server.domain.failures.incidents import StoredIncident, TaskToday
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.pools.health import WorkerHealth
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.pages.incidents.advice import advice
from pooldeck_server.web.pages.incidents.fault import fault_of
from pooldeck_server.web.pages.incidents.listing import Wanted, recovery_seconds
from pooldeck_server.web.pages.incidents.text import report_text
from pooldeck_server.web.pages.pools.history import deeds
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, ngettext

NEARBY_MINUTES = 15
"""How long before and after an incident what was done counts as near it."""

OTHERS = 5
"""How many others like it are listed."""


class IncidentData(Struct, frozen=True):
    """What was read for the report.

    `tasks` are those it was about, as they are today; `others` the latest of the same cause and
    culprit; `nearby` what was done in its pool about that time, `workers` those the pool has now.
    `may_rerun` is whether the culprit's function is declared idempotent, None if it is not known.
    """

    incident: StoredIncident
    tasks: Mapping[str, TaskToday]
    others: Sequence[StoredIncident]
    hold: Hold | None
    nearby: Sequence[StoredAnnotation]
    workers: Sequence[WorkerHealth]
    memory_bytes: int | None
    may_rerun: bool | None


@dataclass(frozen=True)
class Involved:
    """A task that lost its worker: its part in it, what it came to then, and its state today."""

    role: Literal["culprit", "suspect", "bystander"]
    task: str
    function: str
    became: str
    today: State | None
    reruns: int


def ids_of(incident: StoredIncident) -> list[str]:
    """Return the tasks that an incident is about."""
    ran = (*filter(None, (incident.culprit,)), *incident.suspects)
    return [each.task for each in ran] + [each.task for each in incident.bystanders]


def incident_context(read: IncidentData) -> dict[str, Any]:
    """Return what the page of one incident shows."""
    incident = read.incident
    tasks = tuple(involved(incident, read.tasks))
    sentences = tuple(story(read))
    return {
        "incident": incident,
        "sentences": sentences,
        "involved": tasks,
        "recovery": recovery_seconds(incident),
        "fault": fault_of(incident.traceback) if incident.traceback else None,
        "memory_bytes": read.memory_bytes,
        "nearby": deeds(each for each in read.nearby if _belongs(each, incident)),
        "hold": read.hold,
        "others": tuple(each for each in read.others if each.id != incident.id)[:OTHERS],
        "others_href": _others_href(incident),
        "advice": advice(incident, read.tasks, may_rerun=read.may_rerun),
        "text": report_text(incident, sentences, [_line(each) for each in tasks]),
    }


def involved(incident: StoredIncident, tasks: Mapping[str, TaskToday]) -> Iterator[Involved]:
    """Yield each task that lost its worker: the culprit, those suspected, then bystanders.

    Args:
        incident: The incident.
        tasks: What has become of its tasks, by id.
    """
    became = {each.task: each.became for each in incident.bystanders}
    if incident.culprit:
        yield _involved("culprit", incident.culprit.task, incident.culprit.function, "", tasks)
    for each in incident.suspects:
        yield _involved("suspect", each.task, each.function, became.pop(each.task, ""), tasks)
    for task, state in became.items():
        yield _involved("bystander", task, "", state, tasks)


def story(read: IncidentData) -> Iterator[str]:
    """Yield what happened in sentences."""
    incident = read.incident
    named = {"worker": incident.worker, "pool": incident.pool, "cause": incident.cause}
    yield _("The worker %(worker)s of the pool %(pool)s died: %(cause)s.", **named)
    yield _whose_fault(incident)
    suspects = {each.task for each in incident.suspects}
    hit = sum(each.task not in suspects for each in incident.bystanders)
    if hit:
        yield ngettext(
            "%(num)s other task lost its worker with it.",
            "%(num)s other tasks lost their worker with it.",
            hit,
        )
    yield _recovered(incident, read.workers)


def _whose_fault(incident: StoredIncident) -> str:
    if incident.culprit:
        return _("It died of %(function)s, which it ran.", function=incident.culprit.function)
    if not incident.suspects:
        return _("No task ran in it.")
    return ngettext(
        "%(num)s task ran in it; whether it was the cause cannot be known.",
        "%(num)s tasks ran in it; which of them was the cause cannot be known.",
        len(incident.suspects),
    )


def _recovered(incident: StoredIncident, workers: Iterable[WorkerHealth]) -> str:
    if incident.recovered_at is None:
        return _("The pool is not whole again yet.")
    time = formats.duration(recovery_seconds(incident))
    successor = next((each for each in workers if each.replaced == incident.worker), None)
    if successor is None:
        return _("The pool was whole again after %(time)s.", time=time)
    was_ready = (successor.started_at or 0) < incident.detected_at
    text = (
        _("The pool was whole again after %(time)s: the spare %(worker)s took its place.")
        if was_ready
        else _("The pool was whole again after %(time)s: a new worker, %(worker)s, took its place.")
    )
    return text % {"time": time, "worker": successor.id}


def _involved(
    role: Literal["culprit", "suspect", "bystander"],
    task: str,
    function: str,
    became: str,
    tasks: Mapping[str, TaskToday],
) -> Involved:
    today = tasks.get(task)
    return Involved(
        role=role,
        task=task,
        function=function or (today.function if today else ""),
        became=became or "failed",
        today=today.state if today else None,
        reruns=max(0, today.attempt - 1) if today else 0,
    )


def _line(each: Involved) -> str:
    today = each.today or "no longer kept"
    return f"{each.role}: {each.function} {each.task}, then {each.became}, today {today}"


def _belongs(annotation: StoredAnnotation, incident: StoredIncident) -> bool:
    """Tell whether something happened to the same pool or function, beside the incident itself."""
    if annotation.kind in {"hold", "release", "placed"}:
        return incident.culprit is not None and annotation.subject == incident.culprit.function
    return annotation.data.get("incident") != incident.id


def _others_href(incident: StoredIncident) -> str:
    function = incident.culprit.function if incident.culprit else ""
    return Wanted(function=function, cause=incident.cause).href
