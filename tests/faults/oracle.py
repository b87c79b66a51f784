"""What must hold after every fault, and in words what does not: I1 to I8.

I3 is judged by `processes.Family`, once the server has ended, and I4 by `prober.Prober`, while it
runs; all others from a `Picture`.
"""

from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

from pooldeck_server.domain.tasks.states import FINAL, State
from tests.faults.deployment import FAULTS, Deployment
from tests.faults.ledger import Entry, Ledger
from tests.faults.picture import Picture, options_of
from tests.faults.prober import Prober

MOST_SECONDS = 0.25  # of an answer of /healthz, at the 99th percentile
CRASHERS = frozenset(
    f"{FAULTS}.{name}" for name in ("leave", "segfault", "abort", "kill_self", "crash_until")
)
_DIED_UNDER = {"crashed", "bystander", "interrupted"}
CUT_OFF = frozenset(_DIED_UNDER | {"host_lost"})
_CRASH_RERUNS = 3  # of an idempotent function without `retries`


def violations(
    deployment: Deployment,
    ledger: Ledger,
    *,
    killed: Collection[int] = (),
    killed_with_it: Collection[int] = (),
    prober: Prober | None = None,
    most_seconds: float = MOST_SECONDS,
) -> list[str]:
    """Return what does not hold of a server that runs, and on which everything should be final.

    Args:
        deployment: Where it runs.
        ledger: What its clients know.
        killed: The process ids of the workers that were killed from outside.
        killed_with_it: Those of workers that were killed with their server, which may not have
            lived to see it.
        prober: What asked for its health meanwhile.
        most_seconds: How long an answer about its health may take, at the 99th percentile.
    """
    picture = Picture.take(deployment, ledger, killed, killed_with_it)
    found = [*judge(picture), *_unforeseen(deployment), *_lost_in_vain(picture, deployment)]
    return found + ([] if prober is None else answered(prober, most_seconds))


def _unforeseen(deployment: Deployment) -> Iterator[str]:
    """Whatever went wrong in the server was foreseen: its log has no traceback."""
    for life, log in enumerate(deployment.logs):
        _, traceback, rest = log.read_text(errors="replace").partition("Traceback (most recent")
        if traceback:
            yield f"the log of life {life} has a traceback: {traceback}{rest[:2000]}"


def _lost_in_vain(picture: Picture, deployment: Deployment) -> Iterator[str]:
    """What died with the server or with its worker had begun and not ended.

    Between what a worker notes and what the function itself does there is a moment, and a life may
    end in it.
    """
    noted = {(line.what, line.task, line.attempt) for line in picture.effects}
    lives = len(deployment.logs) + len(picture.killed) + len(picture.killed_with_it)
    for words, line, is_there in (("had not begun", "start", False), ("had ended", "end", True)):
        lost = [
            _name(task)
            for task, attempt in picture.all_attempts()
            if _kind(attempt) in _DIED_UNDER
            and ((line, task["id"], attempt["attempt"]) in noted) == is_there
        ]
        if len(lost) > lives:
            yield f"{len(lost)} attempts died that {words}: {', '.join(lost[:5])}"


def judge(picture: Picture) -> list[str]:
    """Return what does not hold of a picture in which everything should be final."""
    return [
        *_kept(picture),
        *_ran_once(picture),
        *picture.complaints,
        *_deaths_are_told(picture),
        *_ended(picture),
        *_adds_up(picture),
        *_findable(picture),
    ]


def answered(prober: Prober, most_seconds: float = MOST_SECONDS) -> list[str]:
    """I4: the server answered in time."""
    if prober.p99 > most_seconds:
        return [*prober.wrong, f"/healthz took {prober.p99:.3f} s at the 99th percentile"]
    return prober.wrong


def _kept(picture: Picture) -> Iterator[str]:
    """I1: every acknowledged id exists, with the arguments that were sent."""
    for entry in picture.entries:
        if entry.id is None:
            continue
        if (task := picture.tasks.get(entry.id)) is None:
            yield f"task {entry.id} was acknowledged and does not exist"
        elif (task["function"], task["args"]) != (entry.body["function"], list(entry.body["args"])):
            yield f"task {entry.id} is {task['function']}{task['args']}, not what was sent"


def _ran_once(picture: Picture) -> Iterator[str]:
    """I2: no attempt started twice, and there is no attempt that nobody asked for."""
    by_hand = {entry.id: entry.retries_by_hand for entry in picture.entries}
    for task_id, starts in picture.starts().items():
        task = picture.tasks.get(task_id)
        if task is None:
            yield f"task {task_id} ran and does not exist"
            continue
        for attempt, times in starts.items():
            if times > 1:
                yield f"attempt {attempt} of {_name(task)} started {times} times"
            if attempt > task["attempt"]:
                yield f"attempt {attempt} of {_name(task)} ran; it has {task['attempt']}"
    for task_id, attempts in picture.attempts.items():
        yield from _reruns_are_allowed(picture.tasks[task_id], attempts, by_hand.get(task_id, 0))


def _reruns_are_allowed(task: Any, attempts: list[Any], by_hand: int) -> Iterator[str]:
    options = options_of(task["function"])
    reruns = max(options.retries, _CRASH_RERUNS if options.idempotent else 0)
    most = (1 + by_hand) * (1 + reruns)
    if task["attempt"] > most:
        yield f"{_name(task)} has {task['attempt']} attempts; at most {most} were asked for"
    died = [each for each in attempts[:-1] if _kind(each) in CUT_OFF]
    if not options.idempotent and len(died) > by_hand:
        yield f"{_name(task)} is not idempotent and was run again after a crash"


def _deaths_are_told(picture: Picture) -> Iterator[str]:
    """I6: each death has an incident with a cause, and nobody is accused who did nothing."""
    by_pid = {incident["pid"]: incident for incident in picture.incidents}
    for pid in picture.killed:
        if pid not in by_pid:
            yield f"worker {pid} was killed, and there is no incident"
    attempts = chain(picture.tasks.values(), *picture.attempts.values())
    ended_on_purpose = {
        attempt["worker"]["pid"] for attempt in attempts if _kind(attempt) == "timeout"
    }
    for task in picture.tasks.values():
        incident = by_pid.get(task["worker"]["pid"]) if task["worker"] else None
        is_no_incident = _kind(task) == "bystander" and task["worker"]["pid"] in ended_on_purpose
        if _kind(task) in {"crashed", "bystander"} and not (incident is None and is_no_incident):
            yield from _is_named(task, incident)
    for incident in picture.incidents:
        yield from _accuses_rightly(incident, picture)


def _is_named(task: Any, incident: Any) -> Iterator[str]:
    if incident is None:
        yield f"{_name(task)} {_kind(task)}, and there is no incident of its worker"
    elif _kind(task) == "crashed" and (incident["culprit"] or {}).get("task") != task["id"]:
        yield f"{_name(task)} crashed, and incident {incident['id']} has another culprit"
    elif task["id"] not in _named(incident):
        yield f"incident {incident['id']} does not name {_name(task)}"


def _named(incident: Any) -> set[str]:
    suspects = [*incident["suspects"], *incident["bystanders"]]
    return {each["task"] for each in [incident["culprit"], *suspects] if each is not None}


def _accuses_rightly(incident: Any, picture: Picture) -> Iterator[str]:
    if not incident["cause"]:
        yield f"incident {incident['id']} has no cause"
    culprit = incident["culprit"]
    killed = {*picture.killed, *picture.killed_with_it}
    if culprit and culprit["function"] not in CRASHERS and incident["pid"] not in killed:
        yield f"incident {incident['id']} accuses {culprit['function']} ({culprit['task']})"


def _ended(picture: Picture) -> Iterator[str]:
    """I7: every task is final; what succeeded ran to its end, what was cancelled did not begin."""
    ended = {(line.task, line.attempt) for line in picture.effects if line.what == "end"}
    begun = picture.starts()
    for task in picture.tasks.values():
        if State(task["state"]) not in FINAL:
            yield f"{_name(task)} is still {task['state']}"
        elif task["state"] == "succeeded" and (task["id"], task["attempt"]) not in ended:
            yield f"{_name(task)} succeeded and did not run to its end"
        elif task["state"] == "cancelled" and task["attempt"] == 0 and begun.get(task["id"]):
            yield f"{_name(task)} is cancelled as if it had not begun, and ran"


def _adds_up(picture: Picture) -> Iterator[str]:
    """I7: the counters equal a recount, and the database is whole."""
    if picture.counters != picture.recount:
        yield f"counters say {picture.counters}, a recount says {picture.recount}"
    if picture.integrity != "ok":
        yield f"the database: {picture.integrity}"


def _findable(picture: Picture) -> Iterator[str]:
    """I8: what the database has is what the ledger has, under the same key and the same id."""
    known = {entry.key: entry for entry in picture.entries}
    for task_id, key in picture.keys.items():
        entry: Entry | None = known.get(key)
        if entry is None:
            yield f"task {task_id} has the key {key}, which nobody sent"
        elif entry.id != task_id:
            yield f"the key {key} stands for task {task_id}; its client has {entry.id}"


def _kind(task: Any) -> str | None:
    return task["error"] and str(task["error"]["kind"])


def _name(task: Any) -> str:
    return f"task {task['id']} ({task['function'].rpartition('.')[2]})"
