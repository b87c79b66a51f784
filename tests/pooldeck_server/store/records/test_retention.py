"""Deleting tasks: with all that is theirs, never what others need, and nothing is left of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, func, insert, select, text

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.domain.pools.controls import ServerRun
from pooldeck_server.domain.retention import DAY, KeptLane
from pooldeck_server.domain.tasks.changes import End, Rerun
from pooldeck_server.domain.tasks.dependencies import Dependency, DependentTask, Rule
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.log import LogEntry
from pooldeck_server.domain.tasks.pipelines import Dependencies, PlannedPipeline
from pooldeck_server.domain.tasks.releases import Release
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.failpoints import VARIABLE
from pooldeck_server.store import queries, records
from pooldeck_server.store.queries.argument_text import undo_escapes
from pooldeck_server.store.tables import counters, functions, metadata, profiles, tasks
from pooldeck_server.store.transaction import Transaction
from tests.support.stored import Store, opened

_KEPT_BESIDE = {"alembic_version", "counters", "activity", "identity", "retention", "deleted"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as made:
        yield made


def ended(store: Store, state: State = State.SUCCEEDED, **changes: Any) -> NewTask:
    """Store a task that has ended."""
    task = store.running(**changes)
    store.write(records.end, [End(task.seq, 1, state, store.clock.now())])
    return task


def delete(store: Store, *tasks: NewTask, **options: Any) -> records.DeletedPart:
    now = store.clock.now()
    chosen: dict[str, Any] = {"now": now, "budget": 10.0} | options
    return store.write(records.delete_tasks, [task.seq for task in tasks], **chosen)


def index_all(store: Store) -> None:
    found = store.read(queries.unindexed, store.last_seq, 1000, 4096)
    texts = [(seq, undo_escapes(text)) for seq, text in found.texts]
    store.write(records.index_arguments, texts, found.through)


def rows(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has, of those that grow with tasks."""
    found = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
        if table.name not in _KEPT_BESIDE
    }
    found["indexed"] = connection.execute(
        text("SELECT count(*) FROM argument_text_docsize")
    ).scalar_one()
    return {name: number for name, number in found.items() if number and name != "search_progress"}


def test_a_task_goes_with_all_that_is_its(store: Store) -> None:
    task = store.running(tags=("nightly",), args='["a \\u00e4 needle"]')
    store.write(records.log, [LogEntry(task.seq, 1, 1, 5, "INFO", "jobs", "said")])
    failed = End(task.seq, 1, State.FAILED, store.clock.now())
    store.write(records.rerun, [Rerun(failed, 0)])
    store.write(records.cancel, [task.seq], store.clock.now())
    after = store.add(state=State.SCHEDULED)
    store.write(
        records.add_dependencies,
        Dependencies(
            (DependentTask(after.seq),), (Dependency(task.seq, after.seq, "it", Rule.GO_ON),)
        ),
    )
    store.write(records.cancel, [after.seq], store.clock.now())
    index_all(store)
    assert store.found(TaskFilter(text="needle")) == [task.seq]

    assert delete(store, after, task).refused == {}

    assert store.read(rows) == {}
    kept, counted = store.counters_and_recount()
    assert {key: n for key, n in kept.items() if n} == counted == {}
    store.read(lambda connection: connection.execute(text("PRAGMA foreign_key_check")).all())


def test_the_index_of_arguments_stays_whole_where_references_were_replaced(store: Store) -> None:
    first = ended(store)
    texts = {}
    for indexed_before in (True, False):
        after = store.add(state=State.SCHEDULED, args='[{"$result":"first"}]')
        needs = Dependencies(
            (DependentTask(after.seq),), (Dependency(first.seq, after.seq, "first", Rule.STOP),)
        )
        store.write(records.add_dependencies, needs)
        if indexed_before:
            index_all(store)
        release = Release(
            seq=after.seq,
            released_at=store.clock.now(),
            state=State.QUEUED,
            run_at=store.clock.now(),
            args='["replaced"]',
            kwargs="{}",
            shown_args=None,
            shown_kwargs=None,
        )
        store.write(records.release_after, [release])
        texts[indexed_before] = after
    index_all(store)
    for task in texts.values():
        store.write(records.cancel, [task.seq], store.clock.now())

    delete(store, *texts.values())
    delete(store, first)

    assert store.read(rows) == {}
    check = "INSERT INTO argument_text(argument_text) VALUES ('integrity-check')"
    store.write(lambda transaction: transaction.connection.execute(text(check)))


def test_words_of_a_task_that_goes_before_they_are_written_are_not_indexed(store: Store) -> None:
    gone, stays = (ended(store, args=f'["{word} needle"]') for word in ("old", "new"))
    found = store.read(queries.unindexed, store.last_seq, 1000, 4096)
    delete(store, gone)
    store.write(records.index_arguments, found.texts, found.through)
    assert store.read(rows) == {"tasks": 1, "indexed": 1}
    assert store.found(TaskFilter(text="needle")) == [stays.seq]


@pytest.mark.parametrize("state", [State.QUEUED, State.SCHEDULED, State.RUNNING])
def test_what_has_not_ended_stays(store: Store, state: State) -> None:
    task = store.running() if state is State.RUNNING else store.add(state=state)
    assert delete(store, task).refused == {"not_final": 1}
    assert store.task(task).state is state


def test_what_somebody_keeps_stays_until_it_is_let_go(store: Store) -> None:
    task = ended(store)
    store.write(records.keep_task, task.id, 5)
    assert delete(store, task).refused == {"kept": 1}
    assert store.task(task).kept_at == 5
    store.write(records.keep_task, task.id, None)
    assert delete(store, task).refused == {}


def test_a_task_stays_while_one_after_it_may_ask_for_its_result(store: Store) -> None:
    first = ended(store)
    after = store.add(state=State.SCHEDULED)
    store.write(
        records.add_dependencies,
        Dependencies(
            (DependentTask(after.seq),), (Dependency(first.seq, after.seq, "it", Rule.STOP),)
        ),
    )
    assert delete(store, first).refused == {"needed": 1}
    store.write(records.cancel, [after.seq], store.clock.now())
    assert delete(store, first).refused == {"needed": 1}  # it may be retried
    delete(store, after)
    assert delete(store, first).refused == {}


def test_nothing_comes_after_a_task_that_was_deleted_meanwhile(store: Store) -> None:
    first, after = ended(store), store.new(state=State.SCHEDULED)
    delete(store, first)
    needs = Dependencies(
        (DependentTask(after.seq),), (Dependency(first.seq, after.seq, first.id, Rule.STOP),)
    )

    def submit(transaction: Transaction) -> None:
        records.insert_tasks(transaction, [after])
        records.add_dependencies(transaction, needs)

    with pytest.raises(InvalidRequest, match="there is no task"):
        store.write(submit)
    assert store.read(rows) == {}


def test_a_pipeline_goes_as_a_whole_and_its_key_stays(store: Store) -> None:
    pipeline = PlannedPipeline("p", None, 5, idempotency_key="once", fingerprint="f")
    first, second = ended(store), store.running()
    places = tuple(
        DependentTask(task.seq, pipeline="p", step=step)
        for task, step in ((first, "a"), (second, "b"))
    )
    store.write(records.add_dependencies, Dependencies(places, (), pipeline))

    assert delete(store, first).refused == {"in_pipeline": 1}
    store.write(records.end, [End(second.seq, 1, State.FAILED, store.clock.now())])
    assert delete(store, first, with_pipelines=False).refused == {"in_pipeline": 1}
    store.write(records.keep_task, second.id, 5)
    assert delete(store, first).refused == {"in_pipeline": 1}
    store.write(records.keep_task, second.id, None)
    delete(store, first, second)

    assert store.read(rows) == {}
    known = store.read(queries.deleted_by_key, "pipeline", "once")
    assert known is not None
    assert (known.id, known.fingerprint) == ("p", "f")


def test_what_a_pipeline_may_still_ask_for_goes_after_what_asks(store: Store) -> None:
    first, second = ended(store), store.add(state=State.SCHEDULED)
    places = tuple(
        DependentTask(task.seq, pipeline="p", step=step)
        for task, step in ((first, "a"), (second, "b"))
    )
    needs = (Dependency(first.seq, second.seq, "a", Rule.STOP),)
    pipeline = PlannedPipeline("p", None, 5)
    store.write(records.add_dependencies, Dependencies(places, needs, pipeline))
    store.write(records.cancel, [second.seq], store.clock.now())

    done = delete(store, first)
    assert (done.refused, done.needed) == ({"needed": 1}, (first.seq,))
    assert delete(store, second).refused == {}
    assert delete(store, first).refused == {}
    assert store.read(rows) == {}


def test_a_pipeline_is_looked_at_once_in_all_parts_of_a_deletion(store: Store) -> None:
    members = [ended(store) for _ in range(3)]
    places = tuple(DependentTask(task.seq, pipeline="p", step=task.id) for task in members)
    made = Dependencies(places, (), PlannedPipeline("p", None, 5))
    store.write(records.add_dependencies, made)

    known: dict[str, bool] = {}
    assert delete(store, members[0], pipelines=known).refused == {}
    assert known == {"p": True}
    store.write(records.keep_task, members[1].id, 5)
    assert delete(store, *members[1:], pipelines=known).refused == {"kept": 1}
    assert delete(store, members[1], pipelines={"p": False}).refused == {"kept": 1}
    assert store.read(queries.pipeline_members, "p") == [members[1].seq]


def test_a_key_outlives_its_task_by_seven_days(store: Store) -> None:
    task = ended(store, idempotency_key="once", fingerprint="f")
    plain = ended(store)
    now = store.clock.now()
    delete(store, task, plain)
    assert store.read(queries.task_by_key, "once") is None
    assert store.read(queries.deleted, "task", plain.id) is None  # nobody can repeat it

    store.write(records.trim_others, now + 7 * DAY, None)
    known = store.read(queries.deleted_by_key, "task", "once")
    assert known is not None
    assert (known.id, known.fingerprint, known.deleted_at) == (task.id, "f", now)
    store.write(records.trim_others, now + 7 * DAY + 1, None)
    assert store.read(queries.deleted_by_key, "task", "once") is None


def test_numbers_and_ids_go_on_after_the_newest_task_was_deleted(store: Store) -> None:
    older, newest = ended(store), ended(store)
    delete(store, newest)
    delete(store, older)
    last = store.read(queries.last_seq_and_id)
    assert last is not None
    assert (last.seq, last.id) == (newest.seq, newest.id)


def test_a_call_ends_when_its_time_is_over_and_says_how_far_it_came(store: Store) -> None:
    many = [ended(store) for _ in range(30)]
    done = delete(store, *many, budget=0.0)
    assert 0 < done.through < 30
    assert sum(done.gone.values()) == done.through
    assert store.read(rows) == {"tasks": 30 - done.through}


def test_only_what_is_still_as_old_as_it_was_found_goes(store: Store) -> None:
    task = ended(store)
    assert delete(store, task, cutoff=store.clock.now() - 1).refused == {"not_final": 1}
    assert delete(store, task, cutoff=store.clock.now()).refused == {}


def test_a_look_for_old_tasks_ends_at_the_first_that_is_too_young(store: Store) -> None:
    late = store.running()  # submitted first, ends last
    old = [ended(store) for _ in range(2)]
    cutoff = store.clock.now()
    store.clock.advance(60)
    store.write(records.end, [End(late.seq, 1, State.SUCCEEDED, store.clock.now())])
    young = [ended(store) for _ in range(3)]
    lane = KeptLane("jobs.add", "cpu", State.SUCCEEDED, 6)

    found = store.read(queries.aged, lane, cutoff, 0, 4)
    assert [each.seq for each in found.found] == [task.seq for task in old]
    assert found.next is None
    assert store.read(queries.aged, lane, cutoff, 0, 2).next == old[0].seq
    oldest = store.read(queries.oldest, (State.SUCCEEDED,), late.seq, 3)
    assert [each.seq for each in oldest] == [*(task.seq for task in old), young[0].seq]


def test_a_look_walks_along_an_index(store: Store) -> None:
    """Two million tasks that stay must not be looked at each minute."""
    plan = store.read(
        lambda connection: connection.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT seq FROM tasks WHERE function = 'f' AND pool = 'p' "
                "AND state = 'succeeded' AND seq > 5 AND kept_at IS NULL ORDER BY seq LIMIT 5"
            )
        ).all()
    )
    assert [row[3] for row in plan] == [
        "SEARCH tasks USING INDEX tasks_by_function (function=? AND pool=? AND state=? AND rowid>?)"
    ]


_DIE = """
import sys
from pathlib import Path
from pooldeck_server.store import records
from pooldeck_server.store.database import Database

database = Database.open(Path(sys.argv[1]), "normal")
for seqs in ([1, 2, 3], [4, 5, 6]):
    with database.transaction() as transaction:
        records.delete_tasks(transaction, seqs, now=5, budget=10.0, remember=True)
"""


def test_a_kill_in_the_middle_leaves_each_task_whole_or_gone(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for number in range(6):
            ended(store, tags=("nightly",), args=f'["word {number}"]')
        index_all(store)
    died = subprocess.run(
        [sys.executable, "-c", _DIE, str(tmp_path / "pooldeck.db")],
        env=os.environ | {VARIABLE: "in_deletion:2"},
        timeout=90,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    with opened(tmp_path) as store:
        assert store.read(rows) == {"tasks": 3, "task_tags": 3, "indexed": 3}
        kept, counted = store.counters_and_recount()
        assert {key: n for key, n in kept.items() if n} == counted
        assert store.found(TaskFilter(text="word")) == [6, 5, 4]


def test_groups_of_errors_go_when_they_are_old_and_no_task_is_left(store: Store) -> None:
    task = store.running()
    error = '{"kind":"exception","type":"ValueError","message":"no"}'
    end = End(task.seq, 1, State.FAILED, store.clock.now(), error=error, error_group="g")
    store.write(records.end, [msgspec.structs.replace(end, error_kind="exception")])
    later = store.clock.now() + 400 * DAY

    store.write(records.trim_others, later, later - DAY)
    assert store.read(rows)["error_groups"] == 1
    delete(store, task)
    store.write(records.trim_others, later, later - DAY)
    assert store.read(rows).keys() <= {"alerts"}  # of which each rule keeps its latest
    assert (
        store.read(lambda c: c.execute(select(func.count()).select_from(tasks)).scalar_one()) == 0
    )


def test_however_often_a_server_starts_only_the_latest_starts_are_kept(store: Store) -> None:
    now = store.clock.now()

    def start_often(transaction: Transaction) -> None:
        for number in range(1600):
            records.begin_run(transaction, ServerRun(f"boot-{number}", 1, now))

    store.write(start_often)
    while store.write(records.trim_others, now, None):
        continue
    assert store.read(rows)["runs"] == 1000
    assert store.read(queries.runs)[0].boot == "boot-1599"


def test_what_is_known_of_functions_that_are_gone_goes_with_time(store: Store) -> None:
    now = store.clock.now()
    for name in ("jobs.gone", "jobs.there"):
        delete(store, ended(store, function=name))
        profile = Profile(name, PoolKind.PROCESS, last_at=now)
        store.write(records.save_profiles, [profile])
    there = insert(functions).values(name="jobs.there", spec="{}", updated_at=now)
    store.write(lambda transaction: transaction.connection.execute(there))

    def known(connection: Connection) -> tuple[set[str], set[str]]:
        return (
            set(connection.scalars(select(profiles.c.function))),
            set(connection.scalars(select(counters.c.function))),
        )

    store.write(records.trim_others, now, now)
    assert store.read(known) == ({"jobs.gone", "jobs.there"}, {"jobs.there"})
    store.write(records.trim_others, now + 1, now + 1)
    assert store.read(known) == ({"jobs.there"}, {"jobs.there"})
    ended(store, function="jobs.gone")  # it is counted anew
    kept, counted = store.counters_and_recount()
    assert {key: n for key, n in kept.items() if n} == counted


def test_what_is_to_be_told_of_a_task_outlives_it(store: Store) -> None:
    task = ended(store, callback="https://ops.example.com/hook")
    assert store.read(rows)["callbacks"] == 1
    delete(store, task)
    left = store.read(rows)
    assert ("callbacks" in left, left["callback_deliveries"]) == (False, 1)
