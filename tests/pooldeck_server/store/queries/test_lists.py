"""The lists of tasks: what each filter finds, in which order, a page at a time."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.changes import Claim, End
from pooldeck_server.domain.tasks.filter import TaskFilter, TaskRef
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import NewTask, StoredTask
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

NOW = 1_700_000_000_000_000
POOLS = ("cpu", "io")
FUNCTIONS = ("jobs.a", "jobs.b", "x_y")


def bring(store: Store, seq: int, state: State) -> None:
    """Move a queued task to `state`."""
    store.write(records.claim, [Claim(seq, 1)])
    if state in FINAL:
        kind = {State.FAILED: "exception", State.LOST: "interrupted"}.get(state)
        store.write(records.end, [End(seq, 1, state, NOW, error_kind=kind)])


def mixture(store: Store) -> list[StoredTask]:
    """Store tasks of many states, pools and functions; return them, newest first."""
    batch: list[NewTask] = []
    for pool, function, state in itertools.product(POOLS, FUNCTIONS, State):
        batch.append(
            store.new(
                pool=pool,
                function=function,
                state=State.SCHEDULED if state is State.SCHEDULED else State.QUEUED,
                run_at=NOW if state is State.SCHEDULED else None,
                tags=("all", "odd") if len(batch) % 2 else ("all",),
                args=f'["number {len(batch)}"]',
            )
        )
        store.clock.advance(1)
    store.write(records.insert_tasks, batch)
    for task, state in zip(batch, itertools.cycle(State), strict=False):
        if state not in {State.SCHEDULED, State.QUEUED}:
            bring(store, task.seq, state)
    return [store.task(task) for task in reversed(batch)]


def pages(store: Store, wanted: TaskFilter, limit: int, scan_limit: int = 1000) -> list[list[int]]:
    """Return the numbers of the tasks on each page of a list."""
    found: list[list[int]] = []
    cursor = None
    while cursor is not None or not found:
        page = store.read(queries.tasks, wanted, limit, cursor, scan_limit)
        found.append([item.seq for item in page.items])
        cursor = page.next_cursor
    return found


def listed(store: Store, wanted: TaskFilter) -> Iterator[tuple[StoredTask, ...]]:
    """Yield the pages of a list."""
    cursor = None
    while True:
        page = store.read(queries.tasks, wanted, 500, cursor)
        yield page.items
        if (cursor := page.next_cursor) is None:
            return


def matching(
    store: Store, wanted: TaskFilter, limit: int, scan_limit: int = 1000
) -> Iterator[tuple[TaskRef, ...]]:
    """Yield the parts of all that fit a filter."""
    before = None
    while True:
        part = store.read(queries.matching, wanted, before, limit, scan_limit)
        yield part.found
        if (before := part.next) is None:
            return


def filters() -> Iterator[TaskFilter]:
    """Yield filters of every combination of fields, each with one value, with two, or with none."""
    for states, functions, pools, tags, errors in itertools.product(
        [(), (State.FAILED,), (State.QUEUED, State.LOST), tuple(State)],
        [(), FUNCTIONS[:1], FUNCTIONS[:2], ("unknown",)],
        [(), POOLS[:1], POOLS],
        [(), ("odd",), ("odd", "all")],
        [(), ("exception",), ("exception", "interrupted")],
    ):
        yield TaskFilter(states, functions, pools, tags, errors)


def fits(task: StoredTask, wanted: TaskFilter) -> bool:
    """Tell in plain words whether a filter shows a task."""
    return (
        (not wanted.states or task.state in wanted.states)
        and (not wanted.functions or task.function in wanted.functions)
        and (not wanted.pools or task.pool in wanted.pools)
        and (not wanted.tags or not set(wanted.tags).isdisjoint(task.tags))
        and (not wanted.errors or task.error_kind in wanted.errors)
    )


def test_every_combination_of_filters_finds_what_fits_and_newest_first(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        everything = mixture(store)
        for wanted in filters():
            expected = [task.seq for task in everything if fits(task, wanted)]
            assert store.found(wanted) == expected, wanted


def test_pages_follow_each_other_without_gap_or_repetition(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        everything = mixture(store)
        for wanted, scan_limit in itertools.product(list(filters())[::17], (2, 1000)):
            expected = [task.seq for task in everything if fits(task, wanted)]
            found = pages(store, wanted, 3, scan_limit)
            assert list(itertools.chain(*found)) == expected, wanted
            assert all(len(page) <= 3 for page in found)


def test_a_list_without_a_filter_shows_whole_tasks(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        everything = mixture(store)
        assert list(store.read(queries.tasks, TaskFilter(), 500).items) == everything


def test_a_page_that_ends_with_the_list_has_no_cursor(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.read(queries.tasks, TaskFilter()).next_cursor is None
        for _ in range(4):
            store.add()
        assert pages(store, TaskFilter(), 4) == [[4, 3, 2, 1]]
        assert pages(store, TaskFilter(), 3) == [[4, 3, 2], [1]]


def test_new_tasks_do_not_shift_a_page_that_was_begun(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for _ in range(4):
            store.add()
        first = store.read(queries.tasks, TaskFilter(), 2)
        store.add()
        assert store.found(TaskFilter(), limit=2, cursor=first.next_cursor) == [2, 1]


@pytest.mark.parametrize(
    "cursor", ["", "7", "x" * 16, "f" * 16, "0" * 17, "000000000000000g", "٣" * 16, "' OR 1"]
)
def test_a_cursor_that_no_list_gave_is_refused(tmp_path: Path, cursor: str) -> None:
    with opened(tmp_path) as store, pytest.raises(InvalidRequest, match="cursor"):
        store.read(queries.tasks, TaskFilter(), cursor=cursor)


def test_more_combinations_than_are_walked_apart_are_found_too(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        names = [f"jobs.f{number}" for number in range(80)]
        batch = [store.new(function=name) for name in names]
        store.write(records.insert_tasks, [*batch, store.new(function="other")])
        found = pages(store, TaskFilter(functions=tuple(names)), 500, scan_limit=30)
        assert list(itertools.chain(*found)) == [task.seq for task in reversed(batch)]
        assert len(found) > 1


def text(store: Store, words: str) -> list[int]:
    return store.found(TaskFilter(text=words))


def test_text_is_found_in_functions_arguments_and_the_beginnings_of_ids(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        one = store.add(function="acme.Thumbnail", args='["cat.png"]', kwargs='{"width": 64}')
        store.clock.advance(3600)
        two = store.add(args='["dog_1.png", "50%"]')
        assert text(store, "thumb") == [one.seq]
        assert text(store, "CAT.") == [one.seq]
        assert text(store, "width") == [one.seq]
        assert text(store, ".png") == [two.seq, one.seq]
        assert text(store, two.id) == [two.seq]
        assert text(store, two.id.upper()) == [two.seq]
        assert text(store, two.id[:8]) == [two.seq]
        assert text(store, two.id[:4]) == [two.seq, one.seq]
        assert text(store, "zebra") == []


@pytest.mark.parametrize(("words", "hits"), [("50%", 1), ("g_1", 1), ("5_", 0), ("%o", 0)])
def test_signs_of_patterns_are_plain_text(tmp_path: Path, words: str, hits: int) -> None:
    with opened(tmp_path) as store:
        store.add(args='["dog_1.png", "50%"]')
        store.add(args='["dogs1.png", "505"]')
        assert len(text(store, words)) == hits


def test_text_that_looks_like_an_id_and_is_none_is_looked_for_in_arguments(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.add(args='["deadbeef00"]')
        store.add()
        assert text(store, "deadbeef") == [task.seq]


def test_text_narrows_what_the_other_fields_find(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        everything = mixture(store)
        wanted = TaskFilter(states=(State.FAILED,), text="number 1")
        expected = [
            task.seq
            for task in everything
            if fits(task, wanted) and "number 1" in (task.args or "")
        ]
        assert store.found(wanted) == expected != []


def test_a_search_looks_at_no_more_rows_than_its_bound_and_goes_on_from_there(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        needle = store.add(args='["needle"]')
        for _ in range(9):
            store.add()
        for wanted in (
            TaskFilter(text="needle"),
            TaskFilter(text="needle", states=(State.QUEUED,)),
            TaskFilter(text="needle", functions=("jobs.add",)),
        ):
            assert pages(store, wanted, 5, scan_limit=4) == [[], [], [needle.seq]]


def test_since_and_until_bound_the_time_of_submission(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        made = []
        for _ in range(4):
            made.append(store.add())
            store.clock.advance(1)
        first, second, third, fourth = (task.created_at for task in made)
        assert store.found(TaskFilter(since=second)) == [4, 3, 2]
        assert store.found(TaskFilter(until=third)) == [2, 1]
        assert store.found(TaskFilter(since=second, until=fourth)) == [3, 2]
        assert store.found(TaskFilter(since=second, until=fourth, states=(State.QUEUED,))) == [3, 2]
        assert store.found(TaskFilter(since=fourth + 1_000_000)) == []
        assert store.found(TaskFilter(until=first)) == []
        assert store.found(TaskFilter(since=0, until=fourth + 1_000_000, text="add")) == [
            4,
            3,
            2,
            1,
        ]


def test_long_texts_are_left_out_of_lists_and_named(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        long = '"' + "x" * 5000 + '"'
        task = store.running(args=f"[{long}]", shown_kwargs='{"key":"[redacted]"}')
        store.write(records.end, [End(task.seq, 1, State.SUCCEEDED, NOW, result=long)])
        (listed,) = store.read(queries.tasks, TaskFilter()).items
        assert listed.omitted == ("args", "result")
        assert (listed.args, listed.result) == (None, None)
        assert listed.kwargs == '{"key":"[redacted]"}'
        whole = store.task(task)
        assert (whole.args, whole.result, whole.omitted) == (f"[{long}]", long, ())


def test_all_that_fit_a_filter_are_found_for_a_change_a_part_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        every = mixture(store)
        for wanted in (*list(filters())[::5], TaskFilter(text="number 1")):
            expected = [item.seq for item in itertools.chain(*listed(store, wanted))]
            parts = list(matching(store, wanted, limit=3))
            assert [ref.seq for part in parts for ref in part] == expected
            assert all(len(part) <= 3 for part in parts)
        (first, *_) = store.read(queries.matching, TaskFilter()).found
        newest = every[0]
        assert first == TaskRef(newest.seq, newest.id, newest.function, newest.pool, newest.state)


def test_a_change_of_all_that_fit_goes_on_where_nothing_fits_for_long(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.write(records.insert_tasks, [store.new(args='["needle"]')])
        store.write(records.insert_tasks, [store.new() for _ in range(50)])
        parts = list(matching(store, TaskFilter(text="needle"), limit=5, scan_limit=20))
        assert [[ref.seq for ref in part] for part in parts] == [[], [], [1]]


def test_what_has_ended_is_found_at_once_behind_any_number_that_wait(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        failed = store.running(tags=("nightly",), args='["needle"]')
        end = End(failed.seq, 1, State.FAILED, NOW, error_kind="exception", error="{}")
        store.write(records.end, [end])
        waiting = [store.new(tags=("nightly",), args='["needle"]') for _ in range(50)]
        store.write(records.insert_tasks, waiting)
        for wanted in (
            TaskFilter((State.FAILED,), tags=("nightly",)),
            TaskFilter((State.FAILED,), text="needle"),
            TaskFilter((State.FAILED, State.LOST), tags=("nightly",), text="needle"),
        ):
            parts = list(matching(store, wanted, limit=5, scan_limit=20))
            assert [[ref.seq for ref in part] for part in parts] == [[failed.seq]]
        nothing = TaskFilter((State.LOST,), tags=("nightly",))
        assert list(matching(store, nothing, limit=5, scan_limit=20)) == [()]


def test_what_is_changed_between_the_parts_is_met_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.write(records.insert_tasks, [store.new() for _ in range(10)])
        met = []
        for part in matching(store, TaskFilter(states=(State.QUEUED,)), limit=3):
            seqs = [ref.seq for ref in part]
            assert len(store.write(records.cancel, seqs, NOW)) == len(seqs)
            store.add()  # newer than where it goes on
            met += seqs
        assert met == list(range(10, 0, -1))
