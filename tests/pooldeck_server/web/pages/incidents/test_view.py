"""What the list of incidents and the report of one say."""

import signal
from typing import Any

import msgspec
import pytest
from starlette.datastructures import QueryParams

from pooldeck_server.domain.failures.incidents import (
    Bystander,
    CulpritCount,
    IncidentPage,
    StoredIncident,
    TaskName,
    TaskToday,
)
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.pools.health import WorkerHealth
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.pages.incidents.data import IncidentData, ids_of
from pooldeck_server.web.pages.incidents.listing import IncidentsView, incidents_view, read_wanted
from pooldeck_server.web.pages.incidents.view import IncidentView, incident_view
from pooldeck_server.web.pages.shared.faults import fault_of
from pooldeck_server.web.pages.shared.rendering import environment
from pooldeck_server.web.text.annotations import history_words

FAULT = """Fatal Python error: Segmentation fault

Thread 0x00000001 (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 982 in run

Current thread 0x00000002 (most recent call first):
  File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at
  File "acme/jobs.py", line 17 in render
"""


def incident(**changes: Any) -> StoredIncident:
    plain = StoredIncident(
        id="i1",
        pool="cpu",
        worker="cpu-3",
        pid=42,
        detected_at=1_700_000_000_000_000,
        cause="killed by SIGSEGV",
        signal=int(signal.SIGSEGV),
        culprit=TaskName("t1", "acme.render"),
        traceback=FAULT,
        peak_rss_bytes=2**30,
        recovered_at=1_700_000_000_084_000,
        recovery_ms=84.0,
    )
    return msgspec.structs.replace(plain, **changes)


LIVE: dict[str, Any] = {"hold": None, "workers": (), "memory_bytes": None, "may_rerun": False}


def shown(of: StoredIncident, **changes: Any) -> IncidentView:
    live = LIVE | {name: changes.pop(name) for name in LIVE.keys() & changes.keys()}
    read = IncidentData(incident=of, tasks={}, gone={}, others=(), nearby=())
    return incident_view(msgspec.structs.replace(read, **changes), **live)


def worker(name: str, started_at: int, replaced: str) -> WorkerHealth:
    return WorkerHealth(name, 1, "idle", started_at, 0, (), replaced=replaced)


# The report of one.


def test_a_report_says_in_sentences_what_died_of_what_and_who_was_hit() -> None:
    of = incident(bystanders=(Bystander("t2", "lost"), Bystander("t3", "queued")))
    assert shown(of).sentences == (
        "The worker cpu-3 of the pool cpu died: killed by SIGSEGV.",
        "It died of acme.render, which it ran.",
        "2 other tasks lost their worker with it.",
        "The pool was whole again after 84 ms.",
    )


def test_nobody_is_accused_where_the_culprit_cannot_be_known() -> None:
    suspects = (TaskName("t1", "acme.a"), TaskName("t2", "acme.b"))
    hit = (Bystander("t1", "lost"), Bystander("t2", "lost"))
    of = incident(culprit=None, suspects=suspects, bystanders=hit)
    sentences = shown(of).sentences
    assert "which of them was the cause cannot be known" in sentences[1]
    assert not any("other task" in sentence for sentence in sentences)
    assert [(each.role, each.task) for each in shown(of).involved] == [
        ("suspect", "t1"),
        ("suspect", "t2"),
    ]
    assert any("process pool" in each.text for each in shown(of).advice)
    assert "No task ran in it." in shown(incident(culprit=None)).sentences


def test_what_earlier_tasks_left_behind_is_suspected_beside_the_one_that_ran() -> None:
    suspects = (TaskName("t1", "acme.a"), TaskName("t2", "acme.b"))
    of = incident(culprit=None, suspects=suspects, bystanders=(Bystander("t1", "lost"),))
    today = {"t2": TaskToday("t2", "acme.b", State.SUCCEEDED, 1)}
    view = shown(of, tasks=today)
    assert view.sentences[1:3] == (
        "1 task ran in it; whether it was the cause cannot be known.",
        "What 1 earlier task had left running in it may have been the cause: acme.b.",
    )
    assert [(each.task, each.became) for each in view.involved] == [
        ("t1", "lost"),
        ("t2", "succeeded"),
    ]
    assert any("join their threads" in each.text for each in view.advice)
    assert not any("process pool" in each.text for each in view.advice)
    assert of.circumstances == (
        "when it had acme.a (task t1) in hand; "
        "what 1 task had left running in it may have done it (acme.b)"
    )


@pytest.mark.parametrize(
    ("started", "words"),
    [(-1, "the spare cpu-4 took its place"), (1, "a new worker, cpu-4, took its place")],
)
def test_a_report_says_who_took_the_place_while_that_one_lives(started: int, words: str) -> None:
    of = incident()
    successor = worker("cpu-4", of.detected_at + started, replaced="cpu-3")
    other = worker("cpu-5", 0, replaced="cpu-1")
    assert words in shown(of, workers=[other, successor]).sentences[-1]


def test_a_pool_that_is_not_whole_yet_is_not_called_whole() -> None:
    of = incident(recovered_at=None, recovery_ms=None)
    assert shown(of).sentences[-1] == "The pool is not whole again yet."


def test_each_task_is_listed_with_what_it_became_and_what_it_is_today() -> None:
    of = incident(bystanders=(Bystander("t2", "lost"), Bystander("t3", "queued")))
    assert ids_of(of) == ["t1", "t2", "t3"]
    tasks = {
        "t1": TaskToday("t1", "acme.render", State.FAILED, 1),
        "t2": TaskToday("t2", "acme.fetch", State.SUCCEEDED, 3),
    }
    involved = shown(of, tasks=tasks).involved
    assert [(each.function, each.became, each.today) for each in involved] == [
        ("acme.render", "failed", tasks["t1"]),
        ("acme.fetch", "lost", tasks["t2"]),
        ("", "queued", None),
    ]
    macro = (
        '{% from "incidents/macros.html" import involved_row %}{{ involved_row(each, gone, now) }}'
    )
    rows = [
        environment().from_string(macro).render(each=each, gone={"t3": None}, now=0)
        for each in involved
    ]
    assert ["run again 2 times" in row for row in rows] == [False, True, False]
    assert ["deleted" in row for row in rows] == [False, False, True]


def test_the_guilty_thread_comes_first_and_the_users_own_frame_stands_out() -> None:
    fault = fault_of(FAULT)
    assert fault.what == "Fatal Python error: Segmentation fault"
    assert fault.guilty is not None
    assert fault.guilty.name == "Current thread 0x00000002 (most recent call first)"
    assert [owner for owner, _ in fault.guilty.parts] == ["library", "own"]
    assert [thread.name[:17] for thread in fault.others] == ["Thread 0x00000001"]
    assert fault_of("who called os._exit").what == "who called os._exit"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "native code"),
        ({"signal": 9, "cause": "killed by SIGKILL, probably out of memory: 1 of 2 GiB"}, "memory"),
        ({"signal": 9, "cause": "killed by SIGKILL"}, "did not send this signal"),
        ({"signal": 14, "cause": "killed by SIGALRM"}, "A timer rang and had no handler"),
        ({"signal": None, "exit_code": 3, "cause": "exited with code 3"}, "os._exit"),
    ],
)
def test_the_advice_fits_the_cause(changes: dict[str, Any], words: str) -> None:
    assert words in shown(incident(**changes)).advice[0].text


@pytest.mark.parametrize(
    ("state", "may_rerun", "is_offered"),
    [
        (State.FAILED, False, True),
        (State.LOST, True, True),
        (State.SUCCEEDED, False, False),
        (State.FAILED, None, False),
    ],
)
def test_the_culprit_can_be_retried_unless_it_ended_well_or_is_gone(
    state: State, may_rerun: bool | None, is_offered: bool
) -> None:
    tasks = {"t1": TaskToday("t1", "acme.render", state, 1)}
    advice = shown(incident(), tasks=tasks, may_rerun=may_rerun).advice
    assert ("t1" in [each.retry for each in advice]) is is_offered


def test_what_happened_near_it_leaves_out_itself_and_the_holds_of_others() -> None:
    nearby = [
        StoredAnnotation(1, "crash", "cpu", "cpu-3", {"incident": "i1", "cause": "killed"}),
        StoredAnnotation(2, "hold", subject="acme.render"),
        StoredAnnotation(3, "hold", subject="acme.other"),
        StoredAnnotation(4, "kill_worker", "cpu", "cpu-9", reason="it hung"),
    ]
    found = shown(incident(), nearby=nearby).nearby
    assert [(history_words(each), each.reason) for each in found] == [
        ("acme.render was put on hold", None),
        ("cpu-9 was killed by hand", "it hung"),
    ]


def test_others_like_it_are_linked_and_the_incident_is_not_its_own_like() -> None:
    context = shown(incident(), others=[incident(), incident(id="i0")], hold=Hold("f", 0, 2, "x"))
    assert [each.id for each in context.others] == ["i0"]
    assert context.others_href == "/incidents?function=acme.render&cause=killed+by+SIGSEGV"
    assert context.hold is not None


def test_the_report_as_text_can_stand_alone() -> None:
    text = shown(incident(exit_code=3, bystanders=(Bystander("t2", "lost"),))).text
    for words in ("cpu-3 killed by SIGSEGV", "signal: 11", "exit code: 3", "peak memory: 1.0 GiB"):
        assert words in text
    assert "noticed: 2023-11-14 22:13:20.000 UTC" in text
    assert "bystander:  t2, then lost" in text
    assert text.endswith("line 17 in render")


# The list.


def listed(address: str, cursor: str | None = None) -> IncidentsView:
    culprits = [CulpritCount("acme.a", 12), CulpritCount(None, 3), CulpritCount("acme.b", 1)]
    wanted = read_wanted(QueryParams(address))
    page = IncidentPage((incident(),), cursor)
    return incidents_view(page, wanted, ["cpu", "io"], culprits, is_first=True)


def test_culprits_are_offered_with_their_number_and_a_chosen_one_is_taken_out_again() -> None:
    chips = listed("pool=cpu").culprits
    assert [(each.label, each.count, each.href) for each in chips] == [
        ("acme.a", "12", "/incidents?pool=cpu&function=acme.a"),
        ("acme.b", "1", "/incidents?pool=cpu&function=acme.b"),
    ]
    chosen = listed("pool=cpu&function=acme.a").culprits[0]
    assert (chosen.is_chosen, chosen.href) == (True, "/incidents?pool=cpu")


def test_periods_and_pools_keep_the_rest_of_the_question() -> None:
    context = listed("function=acme.a&since=24h", cursor="abc")
    assert [each.label for each in context.periods if each.is_chosen] == ["last 24 hours"]
    assert context.periods[-1].href == "/incidents?function=acme.a"
    assert context.pools[0].href == "/incidents?pool=cpu&function=acme.a&since=24h"
    assert context.older_href == "/incidents?function=acme.a&since=24h&cursor=abc"
    assert context.wanted.href == "/incidents?function=acme.a&since=24h"


@pytest.mark.parametrize(
    ("since", "seconds"), [("90m", 5400), ("24h", 86400), ("7d", 604800), ("", None), ("x", None)]
)
def test_a_length_of_time_bounds_the_list_and_nonsense_does_not(
    since: str, seconds: int | None
) -> None:
    now = 10**15
    expected = None if seconds is None else now - seconds * 1_000_000
    assert read_wanted(QueryParams({"since": since})).after(now) == expected
