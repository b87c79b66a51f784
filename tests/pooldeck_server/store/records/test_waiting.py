"""What is stored of a submission, and what is erased when it is final."""

import json
import sqlite3
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck_server.domain.tasks.changes import Claim, End
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

NOW = 1_700_000_000_000_000


def test_a_stored_submission_comes_back_as_it_was_sent(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        args, kwargs = '["ünï\\u0000 😀",123456789012345678901234567890]', '{"a": {"b": [1.50]}}'
        task = store.add(args=args, kwargs=kwargs, priority=-7, tags=("x", "y"))
        stored = store.task(task)
        assert (stored.args, stored.kwargs) == (args, kwargs)
        assert (stored.tags, stored.priority, stored.attempt) == (("x", "y"), -7, 0)
        assert (stored.created_at, stored.state) == (task.created_at, State.QUEUED)


def test_any_json_text_comes_back_exactly(tmp_path: Path) -> None:
    with opened(tmp_path) as store:

        @given(st.lists(st.text(st.characters(codec="utf-8")) | st.integers() | st.floats()))
        def comes_back(values: list[object]) -> None:
            for ascii_only in (True, False):
                text = json.dumps(values, ensure_ascii=ascii_only)
                assert store.task(store.add(args=text)).args == text

        comes_back()


def test_a_submission_is_a_move_from_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.new(state=State.SCHEDULED, run_at=NOW)
        (move,) = store.write(records.insert_tasks, [task])
        assert (move.seq, move.id, move.before, move.state) == (
            task.seq,
            task.id,
            None,
            State.SCHEDULED,
        )


def test_a_taken_idempotency_key_keeps_its_first_task(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        first = store.add(idempotency_key="k", fingerprint="f")
        again = store.new(idempotency_key="k", tags=("t",))
        other = store.new(idempotency_key="other")
        twin = store.new(idempotency_key="other")
        moves = store.write(records.insert_tasks, [again, other, twin])
        assert [move.seq for move in moves] == [other.seq]
        assert store.read(queries.task_by_key, "k") == (first.seq, first.id, "f")
        assert store.read(queries.task_by_key, "unused") is None
        assert store.read(queries.task, again.id) is None
        assert store.found(TaskFilter(tags=("t",))) == []
        kept, counted = store.counters_and_recount()
        assert kept == counted


def test_sensitive_arguments_are_never_read_back(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.add(args='["secret"]', shown_args='["[redacted]"]')
        assert store.task(task).args == '["[redacted]"]'
        (listed,) = store.read(queries.tasks, TaskFilter()).items
        assert listed.args == '["[redacted]"]'
        assert store.found(TaskFilter(text="secret")) == []
        (waiting,) = store.read(queries.queued, "cpu", 10).tasks
        assert waiting.args == '["secret"]'


def files_hold(store: Store, text: bytes) -> bool:
    folder = store.database.path.parent
    return any(text in file.read_bytes() for file in folder.glob("pooldeck.db*"))


@pytest.mark.parametrize("length", [1, 5000])
def test_sensitive_arguments_are_gone_from_the_file_once_the_task_is_final(
    tmp_path: Path, length: int
) -> None:
    shown = {"shown_args": '["[redacted]"]', "shown_kwargs": '{"key":"[redacted]"}'}
    with opened(tmp_path) as store:
        store.write(records.erase_traces)
        one, two, three = (f"s3cret-{name}" * length for name in ("one", "two", "three"))
        ended = store.running(args=f'["{one}"]', kwargs=f'{{"key":"{two}"}}', **shown)
        cancelled = store.add(args=f'["{three}"]', **shown)
        assert files_hold(store, b"s3cret")
        store.write(records.end, [End(ended.seq, 1, State.FAILED, NOW)])
        store.write(records.cancel, [cancelled.seq], NOW)
        assert store.task(ended).kwargs == '{"key":"[redacted]"}'
    assert not files_hold(store, b"s3cret")


def test_large_arguments_are_stored_whole_however_many_come_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        large = json.dumps(["x" * 12_000_000])
        batch = [store.new(args=large if n % 2 else "[]") for n in range(8)]
        assert len(store.write(records.insert_tasks, batch)) == 8
        assert [store.task(task).args for task in batch] == ["[]", large] * 4


@pytest.mark.parametrize("number", [1, 2, 255, 256, 257, 1000])
def test_batches_of_every_size_are_stored_whole(tmp_path: Path, number: int) -> None:
    with opened(tmp_path) as store:
        batch = [store.new() for _ in range(number)]
        moves = store.write(records.insert_tasks, batch)
        assert [move.seq for move in moves] == [task.seq for task in batch]
        assert sum(count.n for count in store.read(queries.counts)) == number
        claims = [Claim(task.seq, 1) for task in batch]
        assert store.write(records.claim, claims) == {task.seq for task in batch}
        assert len(store.write(records.cancel, [task.seq for task in batch], NOW)) == number


def test_a_row_that_cannot_be_stored_takes_its_whole_batch_back(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        good = store.new()
        same = msgspec.structs.replace(store.new(), id=good.id)
        with pytest.raises(sqlite3.IntegrityError):
            store.write(records.insert_tasks, [good, same])
        assert store.read(queries.task, good.id) is None
        assert store.read(queries.counts) == []
