"""What the page of one task shows, worked out from what was read of it."""

from typing import Any

import msgspec
import pytest

from pooldeck.outcome import Error, ErrorKind, Measurement
from pooldeck_server.domain.functions.placements import Placement, PlacementRule
from pooldeck_server.domain.measurements.figures import Durations, Percentiles
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.tasks.attempt import LatestRun, StoredAttempt
from pooldeck_server.domain.tasks.log import LogWindow, StoredLine
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.shared.log_lines import LOG_LINES
from pooldeck_server.web.pages.task.data import LogData, TaskData
from pooldeck_server.web.pages.task.journey import journey
from pooldeck_server.web.pages.task.log import log_part
from pooldeck_server.web.pages.task.runs import strip
from pooldeck_server.web.pages.task.times import segments
from pooldeck_server.web.pages.task.view import TaskView, task_view

SECOND = 1_000_000
NOW = 100 * SECOND


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
        args="[]",
        kwargs="{}",
    )
    return msgspec.structs.replace(plain, **changes)


# Where the time went.


def test_the_timing_bar_divides_a_task_into_its_parts() -> None:
    ran = task(
        queued_seconds=1.0,
        started_at=1 * SECOND,
        finished_at=5 * SECOND,
        recorded_at=6 * SECOND,
    )
    measured = Measurement(run=2.0, cpu=0.5, child_cpu=0.5, encode=1.0)
    laid = segments(ran, measured, NOW)
    parts = ["queued", "handover", "cpu", "off", "encode", "record"]
    assert [each.kind for each in laid] == parts
    assert [each.seconds for each in laid] == [1.0] * 6
    assert [round(each.x) for each in laid] == [0, 167, 333, 500, 667, 833]


def test_a_bar_grows_with_what_goes_on() -> None:
    waits = segments(task(state=State.QUEUED, created_at=NOW - 3 * SECOND), None, NOW)
    assert [(each.kind, each.seconds, each.is_open) for each in waits] == [("queued", 3.0, True)]
    running = task(state=State.RUNNING, queued_seconds=1.0, started_at=NOW - 2 * SECOND)
    assert [(each.kind, each.seconds, each.is_open) for each in segments(running, None, NOW)] == [
        ("queued", 1.0, False),
        ("run", 2.0, True),
    ]


def test_even_the_shortest_part_of_the_bar_can_be_seen_and_all_fit() -> None:
    laid = segments(task(queued_seconds=0.0001), Measurement(run=100.0, cpu=100.0), NOW)
    assert all(each.width > 3 for each in laid)
    assert laid[-1].x + laid[-1].width == pytest.approx(1000, abs=0.1)


def test_cpu_time_of_many_children_does_not_exceed_the_run() -> None:
    laid = segments(task(), Measurement(run=1.0, cpu=0.1, child_cpu=7.0), NOW)
    assert [(each.kind, each.seconds) for each in laid] == [("cpu", 1.0)]


def test_nothing_is_said_about_times_that_are_not_known() -> None:
    assert segments(task(), None, NOW) == ()
    assert segments(task(state=State.SCHEDULED, run_at=NOW + SECOND), None, NOW) == ()


def test_a_clock_that_was_set_back_makes_no_negative_parts() -> None:
    jumped = task(state=State.RUNNING, queued_seconds=0.0, started_at=NOW + SECOND)
    assert [each.seconds for each in segments(jumped, None, NOW)] == [0.0]


# Its way.


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"state": State.SCHEDULED, "run_at": NOW}, "scheduled"),
        ({"state": State.QUEUED}, "queued"),
        ({"state": State.RUNNING, "started_at": 1}, "queued running"),
        ({"started_at": 1, "finished_at": 2}, "queued running succeeded"),
        ({"run_at": 1, "started_at": 2, "finished_at": 3}, "scheduled queued running succeeded"),
        ({"state": State.CANCELLED, "finished_at": 2}, "queued cancelled"),
        ({"state": State.CANCELLED, "run_at": 9, "finished_at": 2}, "scheduled cancelled"),
        ({"state": State.LOST, "started_at": 1, "finished_at": 2}, "queued running lost"),
    ],
)
def test_the_way_of_a_task_names_the_states_that_it_was_in(
    changes: dict[str, Any], path: str
) -> None:
    assert " ".join(journey(task(**changes), 0, NOW).taken) == path


def test_each_state_of_the_way_says_how_long_it_took_and_the_present_one_counts_on() -> None:
    running = task(
        state=State.RUNNING,
        created_at=0,
        run_at=60 * SECOND,
        queued_seconds=0.25,
        started_at=NOW - 2 * SECOND,
    )
    stops = {stop.state: stop for stop in journey(running, 0, NOW).stops}
    assert [stops[state].words for state in (State.SCHEDULED, State.QUEUED, State.RUNNING)] == [
        "1 min 0 s",
        "250 ms",
        "2.0 s",
    ]
    assert (stops[State.RUNNING].elapsed, stops[State.QUEUED].elapsed) == (2.0, None)


@pytest.mark.parametrize(
    ("changes", "ahead"),
    [
        ({"state": State.SCHEDULED, "run_at": NOW}, "queued running"),
        ({"state": State.QUEUED}, "running"),
        ({"state": State.RUNNING, "started_at": 1}, ""),
        ({"state": State.CANCELLED, "finished_at": 2}, ""),
    ],
)
def test_only_what_lies_ahead_of_a_task_is_shown_beside_what_it_took(
    changes: dict[str, Any], ahead: str
) -> None:
    way = journey(task(**changes), 0, NOW)
    assert " ".join(stop.state for stop in way.stops if not stop.is_taken) == ahead


LIVE: dict[str, Any] = {"slot": None, "is_callable": True, "now": NOW}


def shown(**changes: Any) -> TaskView:
    """Return the page of a task that was read so or otherwise, or is so at this moment."""
    live = LIVE | {name: changes.pop(name) for name in LIVE.keys() & changes.keys()}
    read = TaskData(
        task=task(),
        attempts=[],
        window=LogWindow(LOG_LINES + 1),
        log=[],
        runs=[],
        durations=Durations(),
        kill=None,
        are_erased=False,
    )
    return task_view(msgspec.structs.replace(read, **changes), **live)


def test_a_task_says_why_it_is_in_its_pool() -> None:
    assert shown().placed.startswith("Its pool was named")
    moved = Placement("cpu", PlacementRule.MEASURED, 1, verdict="cpu_holding_gil", before="io")
    words = shown(task=task(placed=moved.to_json())).placed
    assert "moved the function from io to cpu" in words
    assert "holds the GIL" in words


def test_several_attempts_become_one_loop() -> None:
    ended = [StoredAttempt(n, State.FAILED) for n in (1, 2)]
    again = shown(task=task(attempt=3), attempts=[*ended, StoredAttempt(3, State.SUCCEEDED)])
    assert again.way.earlier == 2
    waits = shown(task=task(attempt=2, state=State.QUEUED), attempts=ended)
    assert waits.way.earlier == 2
    assert shown().way.earlier == 0


# What became of it.


def test_an_error_is_shown_with_all_its_causes() -> None:
    cause = Error(ErrorKind.EXCEPTION, "OSError", "truncated")
    error = Error(ErrorKind.EXCEPTION, "ValueError", "no picture", cause=cause)
    failed = task(state=State.FAILED, error=msgspec.json.encode(error).decode())
    assert list(shown(task=failed).errors) == [error, cause]


@pytest.mark.parametrize(
    ("state", "can_cancel"),
    [(State.QUEUED, True), (State.SCHEDULED, True), (State.RUNNING, False), (State.LOST, False)],
)
def test_only_what_has_not_started_is_simply_cancelled(state: State, can_cancel: bool) -> None:
    assert shown(task=task(state=state)).can_cancel is can_cancel


@pytest.mark.parametrize("state", list(State))
def test_what_has_ended_can_be_retried_unless_its_arguments_are_gone(state: State) -> None:
    of_state = task(state=state)
    assert shown(task=of_state).can_retry is (state in FINAL)
    assert not shown(task=of_state, are_erased=True).can_retry
    assert not shown(task=of_state, is_callable=False).can_retry


def test_attempts_are_listed_latest_first_each_with_its_own_error() -> None:
    error = Error(ErrorKind.TIMEOUT, "TimeoutError", "too long")
    first = StoredAttempt(1, State.FAILED, error=msgspec.json.encode(error).decode())
    read = {"task": task(attempt=2), "attempts": [first, StoredAttempt(2, State.SUCCEEDED)]}
    latest, earliest = shown(**read).attempts
    assert (latest.attempt.attempt, latest.errors, latest.is_shown) == (2, (), True)
    assert (earliest.attempt.attempt, earliest.is_shown) == (1, False)
    assert list(earliest.errors) == [error]
    of_first = shown(**read, window=LogWindow(LOG_LINES + 1, attempt=1))
    assert [row.is_shown for row in of_first.attempts] == [False, True]


def test_arguments_that_were_not_given_are_not_shown() -> None:
    assert shown().arguments == ()
    named = shown(task=task(kwargs='{"a":1}')).arguments
    assert [value.name for value in named] == ["kwargs"]


@pytest.mark.parametrize("result", ["null", None, '{"a":1}'])
def test_none_that_was_returned_is_told_from_no_result(result: str | None) -> None:
    view = shown(task=task(result=result))
    assert view.returned_none is (result == "null")
    assert (view.result is None) is (result is None)


# The log.


def lines(first: int, last: int) -> list[StoredLine]:
    return [StoredLine(n, 0, "INFO", "stdout", "x", False, 0) for n in range(first, last + 1)]


def test_a_long_log_shows_its_end_and_leads_to_what_came_before() -> None:
    window = LogWindow(LOG_LINES + 1, level="INFO")
    part = log_part(LogData(task(attempt=1), window, lines(100, 100 + LOG_LINES)))
    assert [part.lines[0].n, part.lines[-1].n] == [101, 100 + LOG_LINES]
    assert part.earlier == "/tasks/0199?level=INFO&before=101#log"
    assert part.is_end
    whole = log_part(LogData(task(attempt=1), window, lines(1, LOG_LINES)))
    assert (len(whole.lines), whole.earlier) == (LOG_LINES, None)


def test_what_follows_a_line_is_taken_from_its_beginning() -> None:
    window = LogWindow(LOG_LINES + 1, after=10)
    part = log_part(LogData(task(attempt=1), window, lines(11, 11 + LOG_LINES)))
    assert [part.lines[0].n, part.lines[-1].n] == [11, 10 + LOG_LINES]
    assert not part.is_end
    assert log_part(LogData(task(attempt=1), window, lines(11, 12))).is_end


def test_each_level_is_a_link_and_the_chosen_one_is_marked() -> None:
    part = log_part(LogData(task(attempt=2), LogWindow(9, attempt=2, level="ERROR"), []))
    assert [level.href for level in part.levels if level.is_chosen] == [
        "/tasks/0199?attempt=2&level=ERROR#log"
    ]
    assert part.levels[0].href == "/tasks/0199?attempt=2#log"


def test_the_first_lines_are_shown_beside_the_last_ones_but_not_twice() -> None:
    read = LogData(task(), LogWindow(LOG_LINES + 1), lines(100, 100 + LOG_LINES), lines(1, 150), 7)
    part = log_part(read)
    assert ([line.n for line in part.beginning], part.left_out) == (list(range(1, 101)), 7)


def test_what_comes_later_is_asked_for_from_the_last_line_that_is_finished() -> None:
    unfinished = [StoredLine(n, 0, "INFO", "stdout", "x", True, 0) for n in (11, 12)]
    for found, last in ((lines(1, 10) + unfinished, 10), (unfinished, 0), ([], 0)):
        assert log_part(LogData(task(), LogWindow(LOG_LINES + 1), found)).last == last


@pytest.mark.parametrize(
    ("changes", "may_lack_words"),
    [
        ({}, False),
        ({"state": State.FAILED, "error_kind": ErrorKind.EXCEPTION}, False),
        ({"state": State.FAILED, "error_kind": ErrorKind.CRASHED}, True),
        ({"state": State.LOST, "error_kind": ErrorKind.BYSTANDER, "thread": 2}, True),
        ({"state": State.LOST, "error_kind": ErrorKind.INTERRUPTED}, True),
        ({"state": State.FAILED, "error_kind": ErrorKind.TIMEOUT}, True),
        ({"state": State.FAILED, "error_kind": ErrorKind.TIMEOUT, "thread": 2}, False),
        ({"state": State.FAILED, "error_kind": ErrorKind.ABANDONED, "thread": 2}, False),
        ({"state": State.LOST, "error_kind": ErrorKind.INTERRUPTED, "started_at": None}, False),
    ],
)
def test_a_log_may_lack_words_where_the_process_ended_first(
    changes: dict[str, Any], may_lack_words: bool
) -> None:
    assert shown(task=task(**{"started_at": 1} | changes)).may_lack_words is may_lack_words


def test_reruns_after_a_crash_are_allowed_to_what_may_run_again() -> None:
    assert shown(task=task(options='{"idempotent": true}')).most_reruns == 3
    assert shown(task=task(options='{"idempotent": true, "retries": 5}')).most_reruns == 5
    assert shown(task=task(options='{"retries": 1}')).most_reruns == 1


def test_a_log_may_lack_words_of_what_was_killed_by_hand() -> None:
    killed = {"task": task(state=State.CANCELLED, attempt=2, started_at=1)}
    attempts = [StoredAttempt(n, State.CANCELLED, started_at=1) for n in (1, 2)]
    note = StoredAnnotation(1, "kill_task")
    assert shown(**killed, attempts=attempts, kill=note).may_lack_words
    assert not shown(**killed, attempts=attempts).may_lack_words
    of_first = LogWindow(LOG_LINES + 1, attempt=1)
    assert not shown(**killed, attempts=attempts, kill=note, window=of_first).may_lack_words


def test_what_a_log_may_lack_is_said_of_the_attempt_that_is_shown() -> None:
    died = StoredAttempt(1, State.FAILED, started_at=1, error_kind=ErrorKind.CRASHED)
    read = {
        "task": task(attempt=2, started_at=5),
        "attempts": [died, StoredAttempt(2, State.SUCCEEDED, started_at=5)],
    }
    assert not shown(**read).may_lack_words
    assert shown(**read, window=LogWindow(LOG_LINES + 1, attempt=1)).may_lack_words


def test_an_error_has_the_last_lines_of_its_own_log_beside_it() -> None:
    failed = task(
        state=State.FAILED, attempt=2, error='{"kind":"exception","type":"E","message":""}'
    )
    last = shown(task=failed, log=lines(1, 9)).last_lines
    assert [line.n for line in last] == [5, 6, 7, 8, 9]
    of_first = LogWindow(LOG_LINES + 1, attempt=1)
    assert shown(task=failed, log=lines(1, 9), window=of_first).last_lines == ()
    errors = LogWindow(LOG_LINES + 1, level="ERROR")
    assert shown(task=failed, log=lines(1, 9), window=errors).last_lines == ()
    assert shown(log=lines(1, 9)).last_lines == ()


# The runs around it.


def run(seq: int, seconds: float, state: State = State.SUCCEEDED) -> LatestRun:
    return LatestRun(seq, f"id-{seq}", state, seconds, NOW)


def test_longer_runs_stand_higher_and_this_one_is_marked() -> None:
    runs = [run(1, 1.0), run(2, 3.0, State.FAILED), run(3, 2.0)]
    drawn = strip(task(id="id-2", seq=2), runs, Durations(3, None, Percentiles(2.0, 3.0)), NOW)
    assert drawn is not None
    low, high, middle = (mark.y for mark in drawn.marks)
    assert high < middle < low
    assert [mark.is_this for mark in drawn.marks] == [False, True, False]
    assert drawn.this == drawn.marks[1].x
    assert drawn.marks[1].words == "failed, 3.0 s (this task)"
    assert [line.y for line in drawn.lines] == [high, middle]
    assert not drawn.is_logarithmic


def test_runs_of_very_different_length_stand_on_a_logarithmic_scale() -> None:
    drawn = strip(task(), [run(1, 0.001), run(2, 0.1), run(3, 10.0)], Durations(), NOW)
    assert drawn is not None
    assert drawn.is_logarithmic
    foot, middle, top = (mark.y for mark in drawn.marks)
    assert middle == pytest.approx((foot + top) / 2, abs=0.2)


def test_a_task_that_runs_stands_among_the_others_where_it_was_submitted() -> None:
    running = task(id="id-2", seq=2, state=State.RUNNING, started_at=NOW - 5 * SECOND)
    drawn = strip(running, [run(1, 1.0), run(3, 1.0)], Durations(), NOW)
    assert drawn is not None
    assert [mark.id for mark in drawn.marks] == ["id-1", "id-2", "id-3"]
    assert drawn.marks[1].words == "running, 5.0 s (this task)"


def test_one_run_alone_is_compared_with_nothing() -> None:
    assert strip(task(), [run(1, 1.0)], Durations(), NOW) is None


def test_runs_that_took_no_time_have_a_place_too() -> None:
    drawn = strip(task(), [run(1, 0.0), run(2, 0.0)], Durations(), NOW)
    assert drawn is not None
    assert drawn.marks[0].y == drawn.marks[1].y
