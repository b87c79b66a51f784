"""What each page shows, worked out from the server's values."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from starlette.datastructures import QueryParams

from app.domain.catalogue import Catalogue
from app.domain.controls import Hold
from app.domain.errors import InvalidRequest
from app.domain.events import Frame, Window
from app.domain.figures import Activity, Count, Durations, Percentiles
from app.domain.health import PoolHealth, SlotHealth, WorkerHealth
from app.domain.states import FINAL, State
from app.domain.tasks import LogEntry, StoredAttempt, StoredTask, TaskFilter, TaskPage
from app.web.contexts.deck import layout, slot_state, throughput
from app.web.contexts.frame import frame_context
from app.web.contexts.functions import function_context, functions_context
from app.web.contexts.task import LOG_LINES, Reading, segments, task_context
from app.web.contexts.tasks import href, read_filter, tasks_context
from pooldeck.functions import FunctionSpec, Options
from pooldeck.outcome import Error, ErrorKind, Measurement


def pool(**changes: Any) -> PoolHealth:
    health = PoolHealth("cpu", "process", 2, "running", None, 0, 0, None, 0, ())
    return msgspec.structs.replace(health, **changes)


def frame(*pools: PoolHealth, **counts: int) -> Frame:
    return Frame(
        seq=1,
        at=0,
        counts={State(name): number for name, number in counts.items()},
        window=Window(3600, succeeded=48112, failed=17),
        throughput=0.0,
        oldest_wait=4.2,
        pools=pools,
        changed=(),
    )


def task(**changes: Any) -> StoredTask:
    plain = StoredTask(
        seq=1,
        id="0199",
        function="acme.jobs.work",
        pool="cpu",
        state=State.SUCCEEDED,
        attempt=1,
        priority=0,
        tags=(),
        created_at=0,
        run_at=None,
        started_at=None,
        finished_at=None,
        queued_seconds=None,
        run_seconds=None,
        cpu_seconds=None,
        worker=None,
        pid=None,
        thread=None,
        progress_fraction=None,
        progress_message=None,
        error_kind=None,
        args="[]",
        kwargs="{}",
        result=None,
        error=None,
        measurement=None,
    )
    return msgspec.structs.replace(plain, **changes)


def function(name: str = "acme.jobs.work", pool: str = "cpu", doc: str = "") -> FunctionSpec:
    return FunctionSpec(name, "acme.jobs", "()", doc, [], {"type": "object"}, Options(pool=pool))


# The frame.


def test_each_number_of_the_strip_leads_to_the_list_that_it_counts() -> None:
    context = frame_context(frame(running=12, queued=1340), "ready", ())
    shown = {number.label: (number.value, number.href) for number in context.present}
    assert shown["running"] == ("12", "/tasks?state=running")
    assert shown["queued"] == ("1,340", "/tasks?state=queued")
    assert shown["scheduled"] == ("0", "/tasks?state=scheduled")
    assert [number.value for number in context.ended] == ["48,112", "17", "0"]
    assert context.oldest_wait == "4.2 s"
    assert context.window_words == "in the last hour"


# The deck.


def worker(state: str = "idle") -> WorkerHealth:
    return WorkerHealth("cpu-1", 1, state, 0, 0, ())


@pytest.mark.parametrize(
    ("state", "slot", "word"),
    [
        ("idle", SlotHealth(), "idle"),
        ("busy", SlotHealth(task="0199"), "busy"),
        ("busy", SlotHealth(), "idle"),
        ("starting", SlotHealth(), "starting"),
        ("stopping", SlotHealth(task="0199"), "busy"),
        ("busy", SlotHealth(task="0199", abandoned=True), "abandoned"),
        ("busy", SlotHealth(task="0199", cancel_requested=True), "asked"),
    ],
)
def test_a_slot_is_told_in_one_word(state: str, slot: SlotHealth, word: str) -> None:
    assert slot_state(worker(state), slot) == word


def test_pools_are_drawn_by_kind_and_size() -> None:
    assert layout(pool()) == "tiles"
    assert layout(pool(kind="thread", size=32)) == "cells"
    assert layout(pool(kind="thread", size=65)) == "squares"
    assert layout(pool(size=65)) == "squares"


def test_the_chart_has_an_hour_of_minutes_and_adds_up_functions_and_pools() -> None:
    def ended(minute: int, state: State, n: int, pool: str = "cpu") -> Activity:
        return Activity(minute, pool, "acme.jobs.work", state, n, 0.0, 0.0)

    rows = [
        ended(1000, State.SUCCEEDED, 2),
        ended(1000, State.SUCCEEDED, 3, pool="io"),
        ended(941, State.FAILED, 1),
        ended(940, State.FAILED, 100),
    ]
    chart = throughput(rows, 1000)
    assert chart["at"] == [minute * 60 for minute in range(941, 1001)]
    assert (chart["succeeded"][-1], chart["failed"][0]) == (5, 1)
    assert (sum(chart["succeeded"]), sum(chart["failed"]), sum(chart["lost"])) == (5, 1, 0)


# The list of tasks.


def test_an_address_says_what_the_list_shows_and_the_filter_says_the_address() -> None:
    address = "state=failed&state=lost&function=acme.jobs.work&pool=io&tag=a%26b&error=timeout&q=x"
    wanted = read_filter(QueryParams(address))
    assert wanted == TaskFilter(
        states=(State.FAILED, State.LOST),
        functions=("acme.jobs.work",),
        pools=("io",),
        tags=("a&b",),
        errors=("timeout",),
        text="x",
    )
    assert sorted(parse_qsl(urlsplit(href(wanted)).query)) == sorted(parse_qsl(address))
    assert href(TaskFilter()) == "/tasks"


def test_empty_fields_of_the_form_filter_nothing() -> None:
    assert read_filter(QueryParams("function=&pool=&tag=&q=+")) == TaskFilter()


def test_a_state_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(InvalidRequest, match="scheduled, queued"):
        read_filter(QueryParams("state=done"))


def listed(wanted: TaskFilter, *, cursor: str | None = None) -> dict[str, Any]:
    found = TaskPage((task(),), cursor)
    return tasks_context(wanted, found, {State.FAILED: 1017}, {}, is_first=True)


def test_a_state_chip_adds_its_state_and_takes_it_out_again() -> None:
    chips = {chip.state: chip for chip in listed(TaskFilter(states=(State.FAILED,)))["chips"]}
    assert chips[State.FAILED].is_chosen
    assert chips[State.FAILED].href == "/tasks"
    assert chips[State.FAILED].count == "1,017"
    assert not chips[State.LOST].is_chosen
    assert chips[State.LOST].href == "/tasks?state=failed&state=lost"


def test_each_condition_in_force_can_be_taken_out_alone() -> None:
    narrowings = listed(TaskFilter(tags=("a", "b"), text="x"))["narrowings"]
    assert [(each.label, each.value, each.href) for each in narrowings] == [
        ("tag", "a", "/tasks?tag=b&q=x"),
        ("tag", "b", "/tasks?tag=a&q=x"),
        ("text", "x", "/tasks?tag=a&tag=b"),
    ]


def test_older_tasks_are_one_link_away_and_keep_the_filter() -> None:
    wanted = TaskFilter(states=(State.LOST,))
    assert listed(wanted, cursor="abc")["older_href"] == "/tasks?state=lost&cursor=abc"
    assert listed(wanted)["older_href"] is None


@pytest.mark.parametrize(
    ("wanted", "cancel", "retry"),
    [
        (TaskFilter(), "/tasks/cancel", "/tasks/retry"),
        (TaskFilter(states=(State.QUEUED,)), "/tasks/cancel?state=queued", None),
        (TaskFilter(states=(State.LOST,), text="x"), None, "/tasks/retry?state=lost&q=x"),
    ],
)
def test_all_that_match_can_be_changed_where_any_of_them_can(
    wanted: TaskFilter, cancel: str | None, retry: str | None
) -> None:
    assert (listed(wanted)["cancel_href"], listed(wanted)["retry_href"]) == (cancel, retry)


# One task.


def test_the_timing_bar_divides_a_run_into_its_parts() -> None:
    measured = Measurement(run=2.0, cpu=0.5, child_cpu=0.5, encode=1.0)
    laid = segments(task(queued_seconds=1.0), measured)
    assert [(each.kind, each.seconds) for each in laid] == [
        ("queued", 1.0),
        ("cpu", 1.0),
        ("off", 1.0),
        ("encode", 1.0),
    ]
    assert [(each.x, each.width) for each in laid] == [(x, 250) for x in (0, 250, 500, 750)]


def test_even_the_shortest_part_of_the_bar_can_be_seen_and_all_fit() -> None:
    laid = segments(task(queued_seconds=0.0001), Measurement(run=100.0, cpu=100.0))
    assert all(each.width > 3 for each in laid)
    assert laid[-1].x + laid[-1].width == pytest.approx(1000, abs=0.1)


def test_cpu_time_of_many_children_does_not_exceed_the_run() -> None:
    laid = segments(task(), Measurement(run=1.0, cpu=0.1, child_cpu=7.0))
    assert [(each.kind, each.seconds) for each in laid] == [("cpu", 1.0)]


def test_nothing_is_said_about_times_that_are_not_known() -> None:
    assert segments(task(), None) == ()


def shown(**changes: Any) -> dict[str, Any]:
    """Return the context of a page, of a task that was read so or otherwise."""
    read = Reading(
        task=task(),
        attempts=[],
        logs=[],
        attempt=None,
        are_erased=False,
        is_asked=False,
        is_callable=True,
    )
    return task_context(msgspec.structs.replace(read, **changes))


def test_an_error_is_shown_with_all_its_causes() -> None:
    cause = Error(ErrorKind.EXCEPTION, "OSError", "truncated")
    error = Error(ErrorKind.EXCEPTION, "ValueError", "no picture", cause=cause)
    failed = task(state=State.FAILED, error=msgspec.json.encode(error).decode())
    assert shown(task=failed)["errors"] == (error, cause)


@pytest.mark.parametrize(
    ("state", "can_cancel"),
    [(State.QUEUED, True), (State.SCHEDULED, True), (State.RUNNING, False), (State.LOST, False)],
)
def test_only_what_has_not_started_is_simply_cancelled(state: State, can_cancel: bool) -> None:
    assert shown(task=task(state=state))["can_cancel"] is can_cancel


@pytest.mark.parametrize("state", list(State))
def test_what_has_ended_can_be_retried_unless_its_arguments_are_gone(state: State) -> None:
    of_state = task(state=state)
    assert shown(task=of_state)["can_retry"] is (state in FINAL)
    assert not shown(task=of_state, are_erased=True)["can_retry"]
    assert not shown(task=of_state, is_callable=False)["can_retry"]


def test_attempts_are_listed_latest_first_each_with_its_own_error() -> None:
    error = Error(ErrorKind.TIMEOUT, "TimeoutError", "too long")
    first = StoredAttempt(1, State.FAILED, error=msgspec.json.encode(error).decode())
    read = {"task": task(attempt=2), "attempts": [first, StoredAttempt(2, State.SUCCEEDED)]}
    latest, earliest = shown(**read)["attempts"]
    assert (latest.attempt.attempt, latest.errors, latest.is_shown) == (2, (), True)
    assert (earliest.attempt.attempt, earliest.errors, earliest.is_shown) == (1, (error,), False)
    assert [row.is_shown for row in shown(**read, attempt=1)["attempts"]] == [False, True]


def test_a_long_log_shows_its_beginning_and_says_that_there_is_more() -> None:
    lines = [LogEntry(1, 1, n, 0, "INFO", "stdout", "x") for n in range(1, LOG_LINES + 2)]
    long = shown(logs=lines)
    assert (len(long["logs"]), long["has_more_logs"]) == (LOG_LINES, True)
    assert not shown(logs=lines[:-1])["has_more_logs"]


# Functions.


def test_functions_are_listed_with_their_problem_and_what_became_of_their_tasks() -> None:
    catalogue = Catalogue(
        ["cpu"], "cpu", [function(doc="Do it.\n\nAnd more."), function("b", pool="gpu")]
    )
    counts = [
        Count("cpu", "acme.jobs.work", State.SUCCEEDED, 40),
        Count("io", "acme.jobs.work", State.SUCCEEDED, 2),
        Count("cpu", "acme.jobs.work", State.LOST, 1),
        Count("cpu", "acme.jobs.work", State.QUEUED, 3),
    ]
    holds = [Hold("b", 0, 5, "five deaths"), Hold("gone", 0, 7, "seven deaths")]
    context = functions_context(catalogue.functions(), counts, holds, is_known=True)
    work, other = context["functions"]
    assert (work.summary, work.problem) == ("Do it.", None)
    assert (work.live, work.succeeded, work.unsuccessful) == (3, 42, 1)
    assert "gpu" in other.problem
    assert (other.live, other.succeeded, other.unsuccessful) == (0, 0, 0)
    assert (work.hold, other.hold) == (None, holds[0])
    assert context["gone"] == (holds[1],)


def test_the_numbers_of_a_function_lead_to_its_tasks() -> None:
    registered = Catalogue(["cpu"], "cpu", [function()]).get("acme.jobs.work")
    counts = [Count("cpu", "acme.jobs.work", State.FAILED, 3), Count("cpu", "b", State.LOST, 9)]
    durations = Durations(10, wait=None, run=Percentiles(0.34, 3.4))
    numbers = function_context(registered, counts, durations, ["cpu"], None)["numbers"]
    assert [(each.label, each.value, each.href) for each in numbers] == [
        ("Failed", "3", "/tasks?state=failed&function=acme.jobs.work"),
        ("Usual run", "340 ms", None),
        ("Slow run (p95)", "3.4 s", None),
    ]
    unused = function_context(registered, [], Durations(), ["cpu"], None)["numbers"]
    assert [(each.label, each.value) for each in unused] == [("Submitted", "none yet")]
