"""The report of one incident: what died, how, when and of what, and what has become of it since."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pooldeck_server.domain.failures.incidents import StoredIncident, TaskToday, named_functions
from pooldeck_server.domain.pools.annotations import OF_FUNCTIONS, StoredAnnotation
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.pools.health import WorkerHealth
from pooldeck_server.domain.pools.hosts import HostHealth, host_of
from pooldeck_server.domain.tasks.log import StoredLine
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.incidents.advice import IncidentAdvice, advice
from pooldeck_server.web.pages.incidents.data import OTHERS, IncidentData
from pooldeck_server.web.pages.incidents.listing import IncidentsQuery
from pooldeck_server.web.pages.incidents.vitals import VitalCharts, vital_charts
from pooldeck_server.web.pages.shared.faults import Fault, fault_of
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.pages.shared.values import Value, arguments_of
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.hosts import contact_words
from pooldeck_server.web.text.i18n import _, ngettext
from pooldeck_server.web.text.reasons import cause_words


@dataclass(frozen=True)
class Involved:
    """A task that lost its worker: its part in it, what it came to then, and its state today."""

    role: Literal["culprit", "suspect", "bystander"]
    task: str
    function: str
    became: str
    today: TaskToday | None


@dataclass(frozen=True)
class IncidentView(Page):
    """The report of an incident; `text` is all of it, to be pasted into a ticket.

    `host_words` say what is known of its host now, and how surely.
    """

    template = "incidents/incident.html"
    section = "incidents"

    incident: StoredIncident
    host: str | None
    host_words: str
    sentences: tuple[str, ...]
    involved: tuple[Involved, ...]
    gone: Mapping[str, int | None]
    fault: Fault | None
    accused: StoredTask | None
    arguments: tuple[Value, ...]
    last_lines: Sequence[StoredLine]
    vitals: VitalCharts | None
    memory_bytes: int | None
    nearby: Sequence[StoredAnnotation]
    hold: Hold | None
    others: Sequence[StoredIncident]
    others_href: str
    advice: tuple[IncidentAdvice, ...]
    text: str


def incident_view(
    read: IncidentData,
    *,
    hold: Hold | None,
    workers: Sequence[WorkerHealth],
    host: HostHealth | None = None,
    memory_bytes: int | None,
    may_rerun: bool | None,
) -> IncidentView:
    incident, culprit = read.incident, read.incident.culprit
    tasks = tuple(involved(incident, read.tasks))
    sentences = tuple(story(incident, workers))
    alike = IncidentsQuery(function=culprit.function if culprit else "", cause=incident.cause)
    return IncidentView(
        incident=incident,
        host=host_of(incident.worker),
        host_words=contact_words(host) if host else "",
        sentences=sentences,
        involved=tasks,
        gone=read.gone,
        fault=fault_of(incident.traceback) if incident.traceback else None,
        accused=read.accused,
        arguments=arguments_of(read.accused) if read.accused else (),
        last_lines=read.last_lines,
        vitals=vital_charts(incident.vitals),
        memory_bytes=memory_bytes,
        nearby=[each for each in read.nearby if _belongs(each, incident)],
        hold=hold,
        others=[each for each in read.others if each.id != incident.id][:OTHERS],
        others_href=alike.href,
        advice=tuple(advice(incident, read.tasks, may_rerun=may_rerun)),
        text=_report_text(incident, sentences, map(_line, tasks)),
    )


def involved(incident: StoredIncident, tasks: Mapping[str, TaskToday]) -> Iterator[Involved]:
    """Yield each task that lost its worker: the culprit, those suspected, then bystanders."""
    became = {each.task: each.became for each in incident.bystanders}
    if (ran := incident.culprit) is not None:
        today = tasks.get(ran.task)
        yield Involved("culprit", ran.task, ran.function, _otherwise(today), today)
    for each in incident.suspects:
        today = tasks.get(each.task)
        state = became.pop(each.task, _otherwise(today))
        yield Involved("suspect", each.task, each.function, state, today)
    for task, state in became.items():
        today = tasks.get(task)
        yield Involved("bystander", task, today.function if today else "", state, today)


def _otherwise(today: TaskToday | None) -> str:
    """Return what a task came to that did not lose its worker by it.

    It failed with it, as the culprit or as an abandoned one; but if it has succeeded at the first
    attempt, it had ended by then, and left something behind.
    """
    has_left = today is not None and today.state is State.SUCCEEDED and today.attempt == 1
    return State.SUCCEEDED if has_left else State.FAILED


def story(incident: StoredIncident, workers: Iterable[WorkerHealth]) -> Iterator[str]:
    yield _(
        "The worker %(worker)s of the pool %(pool)s died: %(cause)s.",
        worker=incident.worker,
        pool=incident.pool,
        cause=cause_words(incident.cause),
    )
    yield _whose_fault(incident)
    if not incident.culprit and incident.left:
        yield ngettext(
            "What %(num)s earlier task had left running in it may have been the cause: "
            "%(functions)s.",
            "What %(num)s earlier tasks had left running in it may have been the cause: "
            "%(functions)s.",
            len(incident.left),
            functions=named_functions(incident.left),
        )
    suspects = {each.task for each in incident.suspects}
    hit = sum(each.task not in suspects for each in incident.bystanders)
    if hit:
        yield ngettext(
            "%(num)s other task lost its worker with it.",
            "%(num)s other tasks lost their worker with it.",
            hit,
        )
    yield _recovered(incident, workers)


def _whose_fault(incident: StoredIncident) -> str:
    if incident.culprit:
        return _("It died of %(function)s, which it ran.", function=incident.culprit.function)
    if not incident.ran:
        return _("No task ran in it.")
    return ngettext(
        "%(num)s task ran in it; whether it was the cause cannot be known.",
        "%(num)s tasks ran in it; which of them was the cause cannot be known.",
        len(incident.ran),
    )


def _recovered(incident: StoredIncident, workers: Iterable[WorkerHealth]) -> str:
    if incident.recovered_at is None:
        return _("The pool is not whole again yet.")
    time = formats.duration((incident.recovery_ms or 0.0) / 1000)
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


def _line(each: Involved) -> str:
    today = each.today.state if each.today else "no longer kept"
    return f"{each.role}: {each.function} {each.task}, then {each.became}, now {today}"


def _belongs(annotation: StoredAnnotation, incident: StoredIncident) -> bool:
    """Tell whether something happened to the same pool or function, beside the incident itself."""
    if annotation.kind == "placed" or annotation.kind in OF_FUNCTIONS:
        return incident.culprit is not None and annotation.subject == incident.culprit.function
    return annotation.data.get("incident") != incident.id


def _report_text(incident: StoredIncident, sentences: Iterable[str], tasks: Iterable[str]) -> str:
    parts = [
        f"{incident.worker} {incident.cause}",
        "\n".join(sentences),
        "\n".join(_facts(incident)),
        "\n".join(tasks),
        incident.traceback or "",
    ]
    return "\n\n".join(part.strip() for part in parts if part)


def _facts(incident: StoredIncident) -> Iterator[str]:
    yield f"noticed: {formats.moment(incident.detected_at)}"
    if incident.recovered_at is not None:
        yield f"pool whole again: {formats.moment(incident.recovered_at)}"
    yield f"pool: {incident.pool}"
    if host := host_of(incident.worker):
        yield f"host: {host}"
    yield f"process id: {incident.pid}"
    if incident.signal is not None:
        yield f"signal: {incident.signal}"
    if incident.exit_code is not None:
        yield f"exit code: {incident.exit_code}"
    yield f"peak memory: {formats.size(incident.peak_rss_bytes)}"
    yield f"incident: {incident.id}"
