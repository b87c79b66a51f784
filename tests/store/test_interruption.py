"""What becomes of tasks that were in hand when a server ended."""

from pathlib import Path

import msgspec
from stored import opened

from app.domain.states import State
from app.domain.tasks import Claim
from app.store import records
from pooldeck.outcome import Error, ErrorKind

NOW = 1_700_000_000_000_000


def test_what_an_earlier_server_left_in_hand_is_lost_and_nothing_else(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        running, claimed = store.running(), store.claimed(pool="io")
        waiting, planned = store.add(), store.add(state=State.SCHEDULED, run_at=NOW)
        released = store.claimed()
        store.write(records.release, [Claim(released.seq, 1)])
        before = [store.task(task) for task in (waiting, planned, released)]

        moves = store.write(records.interrupt, NOW)

        assert {(move.seq, move.before, move.state) for move in moves} == {
            (running.seq, State.RUNNING, State.LOST),
            (claimed.seq, State.QUEUED, State.LOST),
        }
        assert [store.task(task) for task in (waiting, planned, released)] == before
        assert store.write(records.interrupt, NOW) == []
        kept, counted = store.counters_and_recount()
        assert kept == counted


def test_an_interrupted_task_says_what_happened(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        running, claimed = store.running(args='["s"]', shown_args='["*"]'), store.claimed()
        store.write(records.interrupt, NOW + 5)
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
        while moves := store.write(records.interrupt, NOW, limit=2):
            sizes.append(len(moves))
        assert sizes == [2, 2, 1]
        assert {store.task(task).state for task in tasks} == {State.LOST}
