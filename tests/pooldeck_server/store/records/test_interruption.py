"""What becomes of tasks that were in hand when a server ended."""

from functools import partial
from pathlib import Path

import msgspec

from pooldeck.functions import RunOptions
from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.tasks.changes import Claim
from pooldeck_server.domain.tasks.reruns import CRASH_RERUNS
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.tasks.left_in_hand import what_becomes
from pooldeck_server.store import queries, records
from tests.support.stored import opened

NOW = 1_700_000_000_000_000


def test_what_an_earlier_server_left_in_hand_is_lost_and_nothing_else(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        running, claimed = store.running(), store.claimed(pool="io")
        waiting, planned = store.add(), store.add(state=State.SCHEDULED, run_at=NOW)
        released = store.claimed()
        store.write(records.release, [Claim(released.seq, 1)])
        before = [store.task(task) for task in (waiting, planned, released)]

        moves = store.write(records.interrupt, partial(what_becomes, now=NOW)).moves

        assert {(move.seq, move.before, move.state) for move in moves} == {
            (running.seq, State.RUNNING, State.LOST),
            (claimed.seq, State.QUEUED, State.LOST),
        }
        assert [store.task(task) for task in (waiting, planned, released)] == before
        assert not store.write(records.interrupt, partial(what_becomes, now=NOW))
        kept, counted = store.counters_and_recount()
        assert kept == counted


def test_an_interrupted_task_says_what_happened(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        running, claimed = store.running(args='["s"]', shown_args='["*"]'), store.claimed()
        store.write(records.interrupt, partial(what_becomes, now=NOW + 5))
        stored = store.task(running)
        assert (stored.error_kind, stored.finished_at, stored.worker) == (
            "interrupted",
            NOW + 5,
            "cpu-1",
        )
        error = msgspec.json.decode(stored.error or "", type=Error)
        assert (error.kind, error.type) == (ErrorKind.INTERRUPTED, "Interrupted")
        assert "while this task ran" in error.message
        assert "was handed to a worker" in (store.task(claimed).error or "")


def test_many_interrupted_tasks_are_recorded_a_bounded_number_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        tasks = [store.running() for _ in range(5)]
        sizes = []
        while found := store.write(records.interrupt, partial(what_becomes, now=NOW), limit=2):
            sizes.append(len(found.moves))
        assert sizes == [2, 2, 1]
        assert {store.task(task).state for task in tasks} == {State.LOST}


def test_what_is_idempotent_is_run_again_and_its_attempt_is_kept_as_lost(tmp_path: Path) -> None:
    options = RunOptions(idempotent=True).to_json()
    with opened(tmp_path) as store:
        running, claimed = store.running(options=options), store.claimed(options=options)
        other = store.running(options=RunOptions(retries=5).to_json())
        moves = store.write(records.interrupt, partial(what_becomes, now=NOW)).moves
        assert {(move.seq, move.before, move.state) for move in moves} == {
            (running.seq, State.RUNNING, State.QUEUED),
            (claimed.seq, State.QUEUED, State.QUEUED),
            (other.seq, State.RUNNING, State.LOST),
        }
        assert not store.write(records.interrupt, partial(what_becomes, now=NOW))
        line = store.read(queries.queued, "cpu", 10).tasks
        assert [(task.seq, task.attempt, task.reruns) for task in line] == [
            (running.seq, 1, 1),
            (claimed.seq, 1, 1),
        ]
        (attempt,) = store.read(queries.attempts, running.id)
        assert (attempt.state, attempt.error_kind, attempt.worker, attempt.finished_at) == (
            State.LOST,
            "interrupted",
            "cpu-1",
            NOW,
        )
        assert "is run again" in (attempt.error or "")
        kept, counted = store.counters_and_recount()
        assert kept == counted


def test_a_task_that_takes_the_server_down_each_time_is_lost_in_the_end(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running(options=RunOptions(idempotent=True).to_json())
        for attempt in range(2, 2 + CRASH_RERUNS):
            store.write(records.interrupt, partial(what_becomes, now=NOW))
            assert store.write(records.claim, [Claim(task.seq, attempt)]) == {task.seq}
        (move,) = store.write(records.interrupt, partial(what_becomes, now=NOW)).moves
        assert move.state is State.LOST
        assert len(store.read(queries.attempts, task.id)) == 1 + CRASH_RERUNS


def test_a_claim_that_is_taken_back_queues_as_it_did_before(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        claimed = store.claimed()

        found = store.write(records.interrupt, lambda task: Claim(task.seq, task.attempt))

        assert (found.moves, found.released) == ([], 1)
        assert (store.task(claimed).state, store.task(claimed).attempt) == (State.QUEUED, 0)
        assert not store.write(records.interrupt, lambda task: Claim(task.seq, task.attempt))
        assert [task.seq for task in store.read(queries.queued, "cpu", 10).tasks] == [claimed.seq]
