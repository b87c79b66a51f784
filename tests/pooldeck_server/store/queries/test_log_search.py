"""Searching the logs of all tasks: the newest first, a part at a time, and saying how far."""

from pathlib import Path

import pytest

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.log import LogEntry
from pooldeck_server.domain.tasks.log_search import FoundLines, LogSearch
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened


def say(store: Store, task: NewTask, *messages: str, level: str = "INFO") -> None:
    lines = [
        LogEntry(task.seq, 1, n, n, level, "acme", message)
        for n, message in enumerate(messages, start=1)
    ]
    store.write(records.log, lines)


def every(store: Store, wanted: LogSearch, limit: int) -> list[FoundLines]:
    """Return all parts of what a search finds, which looks for no time at all at once."""
    parts: list[FoundLines] = []
    cursor: str | None = None
    while not parts or cursor is not None:
        parts.append(store.read(queries.search_logs, wanted, limit, cursor, 0.0))
        cursor = parts[-1].next_cursor
    return parts


def test_lines_are_found_in_any_log_those_of_the_newest_task_first(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        first, second = store.running(), store.running()
        say(store, first, "a needle", "hay")
        say(store, second, "hay", "the NEEDLE", "needle 100%")
        found = store.read(queries.search_logs, LogSearch("needle"), seconds=30.0)
        assert [(each.task, each.n) for each in found.items] == [
            (second.id, 3),
            (second.id, 2),
            (first.id, 1),
        ]
        assert (found.looked_at, found.tasks, found.next_cursor) == (2, 2, None)
        percent = store.read(queries.search_logs, LogSearch("0%"), seconds=30.0)
        assert [each.message for each in percent.items] == ["needle 100%"]


def test_a_search_that_is_cut_short_goes_on_where_it_was_and_misses_nothing(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        tasks = [store.running() for _ in range(4)]
        for task in tasks:
            say(store, task, *("hay" for _ in range(3000)), "needle", "needle")
        parts = every(store, LogSearch("needle"), 3)
        assert len(parts) > 2
        found = [(each.task, each.n) for part in parts for each in part.items]
        assert found == [(task.id, n) for task in tasks[::-1] for n in (3002, 3001)]
        looked_at = [part.looked_at for part in parts]
        assert looked_at == sorted(looked_at)
        assert looked_at[0] < 4
        assert parts[-1].looked_at == 4


def test_a_search_is_narrowed_by_function_and_level(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        quiet, loud = store.running(), store.running()
        say(store, quiet, "needle")
        say(store, loud, "needle", level="ERROR")
        errors = store.read(queries.search_logs, LogSearch("needle", level="WARNING"))
        assert [each.task for each in errors.items] == [loud.id]
        assert store.read(queries.search_logs, LogSearch("needle", "no.such")).items == ()
        of_function = store.read(queries.search_logs, LogSearch("needle", quiet.function))
        assert len(of_function.items) == 2


def test_where_there_are_no_logs_nothing_is_found_and_other_cursors_are_refused(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        assert store.read(queries.search_logs, LogSearch("x")) == FoundLines((), 0, 0, None)
        with pytest.raises(InvalidRequest, match="cursor"):
            store.read(queries.search_logs, LogSearch("x"), 10, "1-2")
