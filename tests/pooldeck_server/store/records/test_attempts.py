"""Reruns, retries by hand, and the attempts that are kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pooldeck.functions import RunOptions
from pooldeck_server.domain.tasks.attempt import StoredAttempt
from pooldeck_server.domain.tasks.changes import Claim, End, ProgressMark, Rerun, Start
from pooldeck_server.domain.tasks.log import LogEntry
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

NOW = 1_700_000_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as opened_store:
        yield opened_store


def failed(task: NewTask, attempt: int = 1) -> End:
    return End(
        task.seq,
        attempt,
        State.FAILED,
        NOW,
        run_seconds=2.0,
        cpu_seconds=1.0,
        error_kind="exception",
        error='{"kind":"exception"}',
        measurement='{"run":2.0}',
    )


def again(store: Store, task: NewTask, attempt: int) -> None:
    """Claim and start an attempt of a task that waits for it, on another worker."""
    assert store.write(records.claim, [Claim(task.seq, attempt)]) == {task.seq}
    start = Start(task.seq, attempt, NOW + 9, 0.25, "cpu-2", 4343, 7)
    assert store.write(records.start, [start])


def test_a_rerun_task_waits_as_if_it_had_never_run_and_keeps_the_count(store: Store) -> None:
    options = RunOptions(retries=3).to_json()
    task = store.running(options=options, args='["s"]', shown_args='["*"]', tags=("t",))
    before = store.task(task)
    store.write(records.progress, [ProgressMark(task.seq, 1, 0.5, "half")])
    (move,) = store.write(records.rerun, [Rerun(failed(task), NOW)])

    assert (move.before, move.state, move.finished_at) == (State.RUNNING, State.QUEUED, None)
    stored = store.task(task)
    assert (stored.state, stored.attempt, stored.reruns) == (State.QUEUED, 1, 1)
    assert (stored.run_at, stored.options, stored.tags) == (NOW, options, before.tags)
    told = {*StoredAttempt.__struct_fields__, "progress_fraction", "progress_message"}
    told -= {"attempt", "state"}
    assert {getattr(stored, name) for name in told} == {None}
    (waiting,) = store.read(queries.queued, "cpu", 10).tasks
    assert (waiting.attempt, waiting.reruns, waiting.options) == (1, 1, options)
    assert (waiting.args, waiting.ready_at) == ('["s"]', NOW)


def test_a_rerun_with_a_pause_waits_for_its_time(store: Store) -> None:
    task = store.running()
    (move,) = store.write(records.rerun, [Rerun(failed(task), NOW + 5)])
    assert (move.before, move.state) == (State.RUNNING, State.SCHEDULED)
    assert store.read(queries.queued, "cpu", 10).tasks == ()
    assert store.read(queries.next_due) == NOW + 5
    assert store.write(records.promote_due, NOW + 5)
    again(store, task, 2)
    assert store.task(task).attempt == 2


def test_the_end_of_a_rerun_attempt_is_no_end_of_the_task(store: Store) -> None:
    task = store.running()
    store.write(records.rerun, [Rerun(failed(task), NOW)])
    assert store.read(queries.activity, 0) == []
    kept, counted = store.counters_and_recount()
    assert kept == counted


def test_a_claimed_task_whose_start_was_not_stored_is_rerun_with_what_its_end_tells(
    store: Store,
) -> None:
    task = store.claimed()
    end = End(task.seq, 1, State.FAILED, NOW, NOW - 5, 0.5, worker="cpu-3", pid=9, thread=2)
    (move,) = store.write(records.rerun, [Rerun(end, NOW)])
    assert (move.before, move.state) == (State.QUEUED, State.QUEUED)
    (attempt,) = store.read(queries.attempts, task.id)
    assert (attempt.started_at, attempt.queued_seconds) == (NOW - 5, 0.5)
    assert (attempt.worker, attempt.pid, attempt.thread) == ("cpu-3", 9, 2)
    again(store, task, 2)


def test_only_the_attempt_in_hand_is_rerun_and_only_once(store: Store) -> None:
    waiting, running, final = store.add(), store.running(), store.running()
    store.write(records.end, [failed(final)])
    strangers = [Rerun(failed(task, 2), NOW) for task in (waiting, running, final)]
    strangers += [Rerun(failed(waiting, 0), NOW), Rerun(failed(final), NOW)]
    assert store.write(records.rerun, strangers) == []
    twice = [Rerun(failed(running), NOW), Rerun(failed(running), NOW + 5)]
    assert [move.state for move in store.write(records.rerun, twice)] == [State.QUEUED]
    assert store.write(records.rerun, twice) == []
    assert store.task(running).reruns == 1


def test_late_reports_of_an_attempt_that_was_rerun_change_nothing(store: Store) -> None:
    task = store.running()
    store.write(records.rerun, [Rerun(failed(task), NOW)])
    for attempt in (1, 2):
        before = store.task(task)
        assert store.write(records.end, [failed(task)]) == []
        assert store.write(records.start, [store.start_of(task)]) == []
        store.write(records.progress, [ProgressMark(task.seq, 1, 0.9, "late")])
        assert store.task(task) == before
        if attempt == 1:
            again(store, task, 2)


def test_each_attempt_keeps_its_own_story(store: Store) -> None:
    task = store.running()
    store.write(records.rerun, [Rerun(failed(task), NOW)])
    again(store, task, 2)
    store.write(records.end, [End(task.seq, 2, State.SUCCEEDED, NOW + 20, result="3")])
    first, second = store.read(queries.attempts, task.id)
    assert (first.attempt, first.state, first.error_kind) == (1, State.FAILED, "exception")
    assert (first.worker, first.pid, first.finished_at) == ("cpu-1", 4242, NOW)
    assert (first.queued_seconds, first.run_seconds, first.cpu_seconds) == (0.5, 2.0, 1.0)
    assert (first.error, first.measurement) == ('{"kind":"exception"}', '{"run":2.0}')
    assert (second.attempt, second.state, second.result) == (2, State.SUCCEEDED, "3")
    assert (second.worker, second.pid, second.thread) == ("cpu-2", 4343, 7)
    assert (second.error, second.started_at) == (None, NOW + 9)


def test_attempts_are_those_that_a_worker_had_or_has(store: Store) -> None:
    task = store.add()
    assert store.read(queries.attempts, "unknown") == []
    assert store.read(queries.attempts, task.id) == []
    again(store, task, 1)
    assert [item.state for item in store.read(queries.attempts, task.id)] == [State.RUNNING]
    store.write(records.rerun, [Rerun(failed(task), NOW + 5)])
    assert [item.state for item in store.read(queries.attempts, task.id)] == [State.FAILED]
    store.write(records.cancel, [task.seq], NOW)
    assert store.task(task).state is State.CANCELLED
    assert [item.state for item in store.read(queries.attempts, task.id)] == [State.FAILED]


def test_a_released_claim_of_a_rerun_leaves_its_attempts_as_they_were(store: Store) -> None:
    task = store.running()
    store.write(records.rerun, [Rerun(failed(task), NOW)])
    store.write(records.claim, [Claim(task.seq, 2)])
    store.write(records.release, [Claim(task.seq, 2)])
    assert [item.attempt for item in store.read(queries.attempts, task.id)] == [1]
    again(store, task, 2)


def test_logs_are_kept_and_read_by_attempt(store: Store) -> None:
    def line(attempt: int) -> LogEntry:
        return LogEntry(task.seq, attempt, 1, NOW, "INFO", "stdout", f"of attempt {attempt}")

    def messages(attempt: int | None = None) -> list[str]:
        found = store.read(queries.logs, task.id, attempt=attempt)
        return [each.message for each in found]

    task = store.running()
    store.write(records.log, [line(1)])
    store.write(records.rerun, [Rerun(failed(task), NOW)])
    assert messages() == ["of attempt 1"]
    again(store, task, 2)
    store.write(records.log, [line(2)])
    assert messages() == ["of attempt 2"]
    assert messages(1) == ["of attempt 1"]
    assert messages(3) == []


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_final_task_is_retried_by_hand_as_a_new_attempt(store: Store, state: State) -> None:
    task = store.running(options=RunOptions(retries=1).to_json())
    store.write(records.rerun, [Rerun(failed(task), NOW)])
    again(store, task, 2)
    store.write(records.end, [End(task.seq, 2, state, NOW, result="3")])
    (move,) = store.write(records.retry, [task.seq, task.seq], NOW + 50)
    assert (move.before, move.state) == (state, State.QUEUED)
    stored = store.task(task)
    assert (stored.state, stored.attempt, stored.reruns) == (State.QUEUED, 2, 0)
    assert (stored.run_at, stored.finished_at, stored.result) == (NOW + 50, None, None)
    assert [item.state for item in store.read(queries.attempts, task.id)] == [State.FAILED, state]
    again(store, task, 3)
    kept, counted = store.counters_and_recount()
    assert kept == counted


def test_a_task_cancelled_before_it_ran_is_retried_without_an_attempt(store: Store) -> None:
    task, pausing = store.add(), store.running()
    store.write(records.rerun, [Rerun(failed(pausing), NOW + 5)])
    store.write(records.cancel, [task.seq, pausing.seq], NOW)
    moves = store.write(records.retry, [task.seq, pausing.seq], NOW)
    assert [move.before for move in moves] == [State.CANCELLED, State.CANCELLED]
    assert store.read(queries.attempts, task.id) == []
    assert [item.state for item in store.read(queries.attempts, pausing.id)] == [State.FAILED]
    again(store, task, 1)
    again(store, pausing, 2)


def test_what_is_not_final_or_unknown_is_not_retried(store: Store) -> None:
    live = [store.add(), store.claimed(), store.running(), store.add(state=State.SCHEDULED)]
    before = [store.task(task) for task in live]
    assert store.write(records.retry, [*(task.seq for task in live), 999], NOW) == []
    assert [store.task(task) for task in live] == before


@pytest.mark.parametrize("erased", [{"shown_args": '["*"]'}, {"shown_kwargs": '{"k":"*"}'}])
def test_a_task_without_its_sensitive_arguments_is_not_retried(
    store: Store, erased: dict[str, str]
) -> None:
    task, plain = store.running(**erased), store.running()
    assert not store.read(queries.are_arguments_erased, task.id)
    store.write(records.end, [failed(task), failed(plain)])
    assert store.write(records.retry, [task.seq], NOW) == []
    assert store.task(task).state is State.FAILED
    assert store.read(queries.attempts, task.id)[0].state is State.FAILED
    assert store.read(queries.are_arguments_erased, task.id)
    assert not store.read(queries.are_arguments_erased, plain.id)


def test_many_tasks_are_rerun_and_retried_at_once(store: Store) -> None:
    batch = [store.new() for _ in range(1100)]
    seqs = [task.seq for task in batch]
    store.write(records.insert_tasks, batch)
    store.write(records.claim, [Claim(seq, 1) for seq in seqs])
    assert len(store.write(records.rerun, [Rerun(failed(task), NOW) for task in batch])) == 1100
    store.write(records.cancel, seqs, NOW)
    assert [move.seq for move in store.write(records.retry, seqs, NOW)] == seqs
    kept, counted = store.counters_and_recount()
    assert kept == counted
