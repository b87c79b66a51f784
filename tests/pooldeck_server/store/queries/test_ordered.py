"""The lists by end and by run time, groups of errors, and how many tasks a filter fits."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.changes import Claim, End
from pooldeck_server.domain.tasks.filter import Sort, TaskFilter, Total
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

NOW = 1_700_000_000_000_000
SECOND = 1_000_000
ERROR = '{"kind":"exception","type":"ValueError","message":"no"}'
SORTS = (Sort.FINISHED, Sort.RUN)


def ended(store: Store, runs: Sequence[float], state: State = State.SUCCEEDED) -> list[int]:
    """Store tasks that ran so many seconds, each ended a second before the one stored before."""
    batch = [
        store.new(tags=("odd",) if n % 2 else (), args=f'["number {n}"]')
        for n, _ in enumerate(runs)
    ]
    store.write(records.insert_tasks, batch)
    store.write(records.claim, [Claim(task.seq, 1) for task in batch])
    kind = "exception" if state is State.FAILED else None
    ends = [
        End(
            task.seq,
            1,
            state,
            NOW - task.seq * SECOND,
            run_seconds=seconds,
            error_kind=kind,
            error=ERROR if kind else None,
            error_group=f"g{task.seq % 2}" if kind else None,
        )
        for task, seconds in zip(batch, runs, strict=True)
    ]
    store.write(records.end, ends)
    return [task.seq for task in batch]


def pages(store: Store, wanted: TaskFilter, sort: Sort, scan_limit: int = 1000) -> list[list[int]]:
    found: list[list[int]] = []
    cursor = None
    while cursor is not None or not found:
        page = store.read(queries.tasks, wanted, 3, cursor, scan_limit, sort=sort)
        found.append([item.seq for item in page.items])
        cursor = page.next_cursor
    return found


def test_what_ended_last_comes_first_and_what_has_not_ended_is_left_out(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        seqs = ended(store, [1.0] * 7)
        store.add()
        store.running()
        assert pages(store, TaskFilter(), Sort.FINISHED) == [seqs[:3], seqs[3:6], seqs[6:]]


def test_the_longest_run_comes_first_and_runs_under_ten_milliseconds_are_left_out(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        a, b, c, _, e, f = ended(store, [0.5, 3.0, 0.01, 0.0099, 0.5, 7.25])
        store.add()
        assert pages(store, TaskFilter(), Sort.RUN) == [[f, b, e], [a, c]]


@pytest.mark.parametrize("scan_limit", [2, 1000])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_of_an_order_follow_each_other_under_every_filter(
    tmp_path: Path, sort: Sort, scan_limit: int
) -> None:
    with opened(tmp_path) as store:
        runs = [0.02 * (n % 4 + 1) for n in range(8)]
        succeeded = ended(store, runs)
        failed = ended(store, runs, State.FAILED)
        run_of = dict(zip(succeeded + failed, runs * 2, strict=True))

        def place(seq: int) -> tuple[float, int]:
            return (run_of[seq], seq) if sort is Sort.RUN else (-seq, seq)

        for wanted, fitting in (
            (TaskFilter(), succeeded + failed),
            (TaskFilter((State.FAILED,)), failed),
            (TaskFilter((State.FAILED, State.QUEUED)), failed),
            (TaskFilter(errors=("exception",)), failed),
            (TaskFilter(groups=("g1",)), [seq for seq in failed if seq % 2]),
            (TaskFilter(tags=("odd",)), succeeded[1::2] + failed[1::2]),
            (TaskFilter(pools=("cpu",), functions=("jobs.add",)), succeeded + failed),
            (TaskFilter(text="number 3"), [succeeded[3], failed[3]]),
            (TaskFilter((State.QUEUED,)), []),
            (TaskFilter(pools=("io",)), []),
        ):
            expected = sorted(fitting, key=place, reverse=True)
            found = pages(store, wanted, sort, scan_limit)
            assert list(itertools.chain(*found)) == expected, wanted


def test_a_search_along_an_order_ends_at_its_bound_and_says_where_to_go_on(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        (needle,) = ended(store, [0.02], State.FAILED)
        ended(store, [0.5] * 9)
        assert pages(store, TaskFilter(text="number"), Sort.RUN, 4)[-1] == [needle]
        found = pages(store, TaskFilter(tags=("even",)), Sort.RUN, 4)
        assert found == [[]]


@pytest.mark.parametrize("sort", SORTS)
def test_a_cursor_of_another_order_is_refused_by_its_name(tmp_path: Path, sort: Sort) -> None:
    with opened(tmp_path) as store:
        ended(store, [1.0] * 5)
        cursors = {
            each: store.read(queries.tasks, TaskFilter(), 2, sort=each).next_cursor for each in Sort
        }
        for other in set(Sort) - {sort}:
            with pytest.raises(InvalidRequest, match=f"not by {sort}"):
                store.read(queries.tasks, TaskFilter(), 2, cursors[other], sort=sort)
        with pytest.raises(InvalidRequest, match="not by created"):
            store.read(queries.tasks, TaskFilter(), 2, cursors[sort])
        with pytest.raises(InvalidRequest, match="not one that this list gave"):
            store.read(queries.tasks, TaskFilter(), 2, "f" * 16, sort=sort)


def test_a_group_of_errors_narrows_lists_and_changes(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        failed = ended(store, [1.0] * 6, State.FAILED)
        ended(store, [1.0] * 6)
        odd = [seq for seq in reversed(failed) if seq % 2]
        assert store.found(TaskFilter(groups=("g1",))) == odd
        assert store.found(TaskFilter(groups=("g0", "g1"))) == failed[::-1]
        assert store.found(TaskFilter((State.SUCCEEDED,), groups=("g1",))) == []
        found = store.read(queries.matching, TaskFilter(groups=("g1",))).found
        assert [ref.seq for ref in found] == odd


def test_a_total_is_exact_where_counters_tell_and_bounded_elsewhere(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        ended(store, [1.0] * 30)
        ended(store, [1.0] * 10, State.FAILED)

        def total(wanted: TaskFilter) -> Total:
            return store.read(queries.total, wanted, 12)

        assert total(TaskFilter()) == Total(40, is_exact=True)
        assert total(TaskFilter((State.SUCCEEDED,), pools=("cpu",))) == Total(30, is_exact=True)
        assert total(TaskFilter((State.LOST,))) == Total(0, is_exact=True)
        assert total(TaskFilter(errors=("exception",))) == Total(10, is_exact=True)
        assert total(TaskFilter(tags=("odd",))) == Total(12, is_exact=False)
        assert total(TaskFilter(since=0)) == Total(12, is_exact=False)


def test_a_total_up_to_a_moment_leaves_out_the_few_that_came_since(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        ended(store, [1.0] * 30)
        store.clock.advance(1)
        moment = store.clock.now()
        ended(store, [1.0] * 3)
        ended(store, [1.0] * 2, State.FAILED)

        def total(wanted: TaskFilter) -> Total:
            return store.read(queries.total, wanted, 12)

        assert total(TaskFilter(until=moment)) == Total(30, is_exact=True)
        assert total(TaskFilter((State.FAILED,), until=moment)) == Total(0, is_exact=True)
        assert total(TaskFilter(until=moment + SECOND)) == Total(35, is_exact=True)


def test_tasks_are_named_by_their_ids_with_the_states_they_are_in(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        waiting, running = store.add(), store.running()
        found = store.read(queries.named, [running.id, "unknown", waiting.id])
        assert {ref.id: ref.state for ref in found} == {
            waiting.id: State.QUEUED,
            running.id: State.RUNNING,
        }


def test_tags_are_found_by_their_beginning_each_once_and_a_few_of_them(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for tags in (("nightly", "night watch"), ("nightly",), ("day",), ("Night",)):
            store.add(tags=tags)
        assert store.read(queries.tags, "nig", 5) == ["night watch", "nightly"]
        assert store.read(queries.tags, "", 2) == ["Night", "day"]
        assert store.read(queries.tags, "x", 5) == []


def test_a_tag_and_a_state_of_many_tasks_narrow_each_other(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        batch = [store.new(tags=("rare",) if n % 400 == 0 else ()) for n in range(1200)]
        store.write(records.insert_tasks, batch)
        rare = [task.seq for task in reversed(batch) if task.tags]
        store.write(records.cancel, rare[:1], NOW)
        assert store.found(TaskFilter((State.QUEUED,), tags=("rare",))) == rare[1:]
        assert store.found(TaskFilter((State.CANCELLED,), tags=("rare",))) == rare[:1]
        assert store.found(TaskFilter(pools=("io",), tags=("rare",))) == []
