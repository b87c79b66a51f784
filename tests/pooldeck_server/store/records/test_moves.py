"""What claims, starts, ends and cancels do, and what the fence keeps them from."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pooldeck_server.domain.tasks.changes import Claim, End, Rerun, TaskChanged
from pooldeck_server.domain.tasks.states import FINAL, MOVES, State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.runtime.tasks.left_in_hand import what_becomes
from pooldeck_server.store import queries, records
from pooldeck_server.store.transaction import Transaction
from tests.support.stored import Store, opened

NOW = 1_700_000_000_000_000


def ended(task: NewTask, state: State = State.SUCCEEDED, attempt: int = 1) -> End:
    return End(task.seq, attempt, state, NOW, run_seconds=2.0)


def test_a_task_goes_from_submission_to_its_result(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        end = End(task.seq, 1, State.SUCCEEDED, NOW, run_seconds=2.0, cpu_seconds=1.0, result="3")
        moves = store.write(records.end, [end])

        assert moves == [
            TaskChanged(
                task.seq, task.id, "jobs.add", "cpu", State.RUNNING, State.SUCCEEDED, 0.5, 2.0, NOW
            )
        ]
        stored = store.task(task)
        assert (stored.state, stored.result, stored.attempt) == (State.SUCCEEDED, "3", 1)
        assert (stored.worker, stored.pid, stored.queued_seconds) == ("cpu-1", 4242, 0.5)
        assert (stored.finished_at, stored.run_seconds, stored.cpu_seconds) == (NOW, 2.0, 1.0)


def test_a_claimed_task_is_still_queued(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.claimed()
        stored = store.task(task)
        assert (stored.state, stored.attempt) == (State.QUEUED, 1)


def test_a_task_is_claimed_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.add()
        assert store.write(records.claim, [Claim(task.seq, 1), Claim(task.seq, 1)]) == {task.seq}
        assert store.write(records.claim, [Claim(task.seq, 1)]) == frozenset()
        assert store.write(records.claim, [Claim(task.seq, 2)]) == frozenset()


def test_a_claim_for_another_attempt_than_the_next_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.add()
        assert store.write(records.claim, [Claim(task.seq, 2), Claim(task.seq + 1, 1)]) == set()
        assert store.task(task).attempt == 0


def test_a_released_claim_can_be_claimed_again_as_the_same_attempt(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.claimed()
        store.write(records.release, [Claim(task.seq, 1)])
        assert store.task(task).attempt == 0
        assert store.write(records.claim, [Claim(task.seq, 1)]) == {task.seq}


def test_a_started_task_cannot_be_released(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        store.write(records.release, [Claim(task.seq, 1)])
        stored = store.task(task)
        assert (stored.state, stored.attempt) == (State.RUNNING, 1)


def test_an_unclaimed_task_neither_starts_nor_ends(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.add()
        assert store.write(records.start, [store.start_of(task, attempt=0)]) == []
        assert store.write(records.end, [ended(task, attempt=0)]) == []
        assert store.task(task).state is State.QUEUED


@pytest.mark.parametrize("attempt", [0, 2])
def test_reports_of_another_attempt_change_nothing(tmp_path: Path, attempt: int) -> None:
    with opened(tmp_path) as store:
        claimed, running = store.claimed(), store.running()
        before = (store.task(claimed), store.task(running))
        assert store.write(records.start, [store.start_of(claimed, attempt)]) == []
        assert store.write(records.end, [ended(claimed, attempt=attempt)]) == []
        assert store.write(records.end, [ended(running, attempt=attempt)]) == []
        assert (store.task(claimed), store.task(running)) == before


def test_a_claimed_task_may_end_without_a_reported_start(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.claimed()
        (move,) = store.write(records.end, [ended(task, State.FAILED)])
        assert (move.before, move.state) == (State.QUEUED, State.FAILED)


def test_of_two_ends_the_first_counts(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        both = [ended(task, State.FAILED), ended(task, State.SUCCEEDED)]
        assert [move.state for move in store.write(records.end, both)] == [State.FAILED]
        assert store.write(records.end, [ended(task, State.LOST)]) == []
        assert store.task(task).state is State.FAILED
        kept, counted = store.counters_and_recount()
        assert kept == counted


def test_a_batch_moves_those_that_may_move_and_leaves_the_others(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        running, queued, final = store.running(), store.add(), store.running()
        store.write(records.end, [ended(final, State.LOST)])
        moves = store.write(records.end, [ended(final), ended(queued), ended(running)])
        assert [move.seq for move in moves] == [running.seq]


def test_queued_claimed_and_scheduled_tasks_can_be_cancelled_and_no_others(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        ahead = [
            store.add(),
            store.claimed(),
            store.add(state=State.SCHEDULED, run_at=NOW),
        ]
        running = store.running()
        everyone = [*(task.seq for task in ahead), running.seq, running.seq + 1, ahead[0].seq]
        moves = store.write(records.cancel, everyone, NOW)
        assert [(move.seq, move.state) for move in moves] == [
            (task.seq, State.CANCELLED) for task in ahead
        ]
        assert store.task(ahead[0]).finished_at == NOW
        assert store.task(running).state is State.RUNNING


def test_a_cancelled_claim_neither_starts_nor_ends(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.claimed()
        store.write(records.cancel, [task.seq], NOW)
        assert store.write(records.start, [store.start_of(task)]) == []
        assert store.write(records.end, [ended(task)]) == []
        assert store.task(task).state is State.CANCELLED


def test_due_tasks_are_queued_the_longest_due_first(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        late, later, never = (
            store.add(state=State.SCHEDULED, run_at=NOW + offset) for offset in (2, 1, 3)
        )
        assert store.read(queries.next_due) == NOW + 1
        (first,) = store.write(records.promote_due, NOW + 2, limit=1)
        assert (first.seq, first.before, first.state) == (
            later.seq,
            State.SCHEDULED,
            State.QUEUED,
        )
        assert [move.seq for move in store.write(records.promote_due, NOW + 2)] == [late.seq]
        assert store.task(never).state is State.SCHEDULED
        assert store.read(queries.next_due) == NOW + 3


def at(store: Store, state: State) -> NewTask:
    """Bring a task into `state`."""
    if state is State.SCHEDULED:
        return store.add(state=state, run_at=NOW)
    if state is State.QUEUED:
        return store.claimed()
    task = store.running()
    if state in FINAL:
        store.write(records.end, [ended(task, state)])
    return task


Move = Callable[[Store, Transaction, NewTask], list[TaskChanged]]


def end_as(state: State) -> Move:
    return lambda _, transaction, task: records.end(transaction, [ended(task, state)])


def rerun_after(pause: int) -> Move:
    return lambda _, transaction, task: records.rerun(
        transaction, [Rerun(ended(task, State.FAILED), NOW + pause)]
    )


ALL_MOVES: dict[str, Move] = {
    "start": lambda store, tx, task: records.start(tx, [store.start_of(task)]),
    "cancel": lambda _, tx, task: records.cancel(tx, [task.seq], NOW),
    "promote_due": lambda _, tx, __: records.promote_due(tx, NOW),
    "interrupt": lambda _, tx, __: records.interrupt(tx, partial(what_becomes, now=NOW)).moves,
    "rerun at once": rerun_after(0),
    "rerun after a pause": rerun_after(1),
    "retry": lambda _, tx, task: records.retry(tx, [task.seq], NOW),
    **{f"end as {state}": end_as(state) for state in FINAL},
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("name", sorted(ALL_MOVES))
def test_no_write_makes_a_move_that_is_not_in_the_table(
    tmp_path: Path, name: str, state: State
) -> None:
    with opened(tmp_path) as store:
        task = at(store, state)
        with store.database.transaction() as transaction:
            moves = ALL_MOVES[name](store, transaction, task)
        after = store.task(task).state
        assert after is state or after in MOVES[state]
        told = [(move.before, move.state) for move in moves]
        if after is not state:
            assert told == [(state, after)]
        elif (name, state) == ("rerun at once", State.QUEUED):
            assert told == [(state, state)]  # it was claimed, and is no longer
        else:
            assert told == []
        kept, counted = store.counters_and_recount()
        assert kept == counted
