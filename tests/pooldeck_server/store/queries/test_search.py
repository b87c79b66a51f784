"""Search in arguments: what the index finds is what people see, in whatever part it has reached."""

from pathlib import Path

import pytest

from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store import queries, records
from pooldeck_server.store.queries.argument_text import undo_escapes
from pooldeck_server.store.transaction import Transaction
from tests.support.stored import Store, opened

EVERYTHING = 2**62


def index(store: Store, limit: int = 1000, longest: int = 4096) -> int:
    """Index the next arguments, as the server does; return how far the index is then."""
    found = store.read(queries.unindexed, EVERYTHING, limit, longest)
    texts = [(seq, undo_escapes(text)) for seq, text in found.texts]
    store.write(records.index_arguments, texts, found.through)
    return found.through


def index_and_fail(transaction: Transaction, seq: int, through: int) -> None:
    """Write to the index in a transaction that comes to nothing."""
    records.index_arguments(transaction, [(seq, "needle")], through)
    raise ZeroDivisionError


def search(store: Store, text: str, scan_limit: int = 3) -> list[int]:
    """Return what is found of a text where only few rows may be looked at one by one."""
    return store.found(TaskFilter(text=text), scan_limit=scan_limit)


def hay(store: Store, number: int = 10) -> None:
    """Store so many tasks in which nothing is to be found."""
    store.write(records.insert_tasks, [store.new(args='["hay"]') for _ in range(number)])


def test_what_is_indexed_is_found_however_much_was_submitted_since(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        needle = store.add(args='["a Needle in it"]', kwargs='{"colour": "blue"}')
        hay(store)
        assert search(store, "needle") == []
        assert index(store) == store.last_seq
        assert search(store, "needle") == search(store, "colour") == [needle.seq]
        assert search(store, "needles") == []


@pytest.mark.parametrize("indexed", [0, 1, 2])
def test_each_text_is_found_once_wherever_the_index_ends(tmp_path: Path, indexed: int) -> None:
    with opened(tmp_path) as store:
        seqs = [store.add(function=f"needle.f{n % 2}", args='["needle"]').seq for n in range(3)]
        for _ in range(indexed):
            index(store, limit=1)
        hay(store, 2)
        assert search(store, "needle", scan_limit=5) == seqs[::-1]
        wanted = TaskFilter(functions=("needle.f0",), text="needle")
        assert store.found(wanted, scan_limit=5) == [seqs[2], seqs[0]]


def test_other_filters_narrow_what_the_index_finds(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        both = [store.add(args='["needle"]', pool=pool, tags=(pool,)).seq for pool in ("cpu", "io")]
        hay(store)
        index(store)
        cpu = [both[0]]
        assert store.found(TaskFilter(pools=("cpu",), text="needle"), scan_limit=3) == cpu
        assert store.found(TaskFilter(tags=("cpu",), text="needle"), scan_limit=3) == cpu
        lost = TaskFilter((State.LOST,), text="needle")
        assert store.found(lost, scan_limit=3) == []


AS_SENT = [
    (r'["caf\u00e9 au lait"]', "café au"),
    (r'["\ud83d\ude00 smile"]', "😀 smile"),
    (r'["say \"hello\" twice"]', 'say "hello"'),
    (r'["C:\\temp\\file"]', r"C:\temp\file"),
    (r'["one\ntwo"]', "one\ntwo"),
    (r'["one\u0000two"]', "two"),
    ('["100 % of a_b*c AND (d)"]', "a_b*c AND (d)"),
    ('[{"deep": ["需要帮助"]}]', "要帮助"),
]
"""Arguments as they were sent, and a part of them as people read it."""


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        *AS_SENT,
        (r'["C:\\temp\\file"]', r"C:\\temp\\file"),
        ('["café au lait"]', r"caf\u00e9 au"),
    ],
)
def test_people_find_what_they_see_whatever_way_it_was_escaped(
    tmp_path: Path, sent: str, seen: str
) -> None:
    with opened(tmp_path) as store:
        task = store.add(args=sent)
        hay(store)
        index(store)
        assert search(store, seen) == [task.seq]


@pytest.mark.parametrize(("sent", "seen"), AS_SENT)
def test_they_find_it_before_it_is_indexed_too(tmp_path: Path, sent: str, seen: str) -> None:
    with opened(tmp_path) as store:
        task = store.add(args=sent)
        store.add(args='["hay"]')
        assert search(store, seen) == [task.seq]


def test_sensitive_arguments_are_never_found_and_what_is_shown_instead_is(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.add(
            args='["ann","hunter2"]',
            kwargs='{"pin":"98765"}',
            shown_args='["ann","[redacted]"]',
            shown_kwargs='{"pin":"[redacted]"}',
        )
        for _ in range(2):
            assert search(store, "hunter2") == search(store, "98765") == []
            assert search(store, "redacted") == [task.seq]
            hay(store, 1)
            index(store)
        hay(store)
        index(store)
        assert search(store, "hunter2") == search(store, "98765") == []
        assert search(store, "[redacted]") == [task.seq]


def test_tasks_without_arguments_leave_nothing_in_the_index(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.add(args="[]", kwargs="{}")
        assert store.read(queries.unindexed, EVERYTHING, 10, 100) == ([], 1)


def test_only_the_beginning_of_long_arguments_is_indexed(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.add(args=f'["start {"x" * 50} finish"]')
        hay(store)
        index(store, longest=40)
        assert search(store, "start") == [task.seq]
        assert search(store, "finish") == []


def test_a_crash_between_texts_and_progress_leaves_neither(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        needle = store.add(args='["needle"]')
        hay(store)
        with pytest.raises(ZeroDivisionError):
            store.write(index_and_fail, needle.seq, store.last_seq)
        assert store.read(queries.not_indexed) == store.last_seq
        assert search(store, "needle") == []
        index(store)
        assert store.read(queries.not_indexed) == 0
        assert search(store, "needle") == [needle.seq]


def test_parts_of_ids_and_functions_are_found_beside_the_index(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.add(function="acme.Thumbnail")
        hay(store)
        index(store)
        assert search(store, "thumb") == [task.seq]
        assert search(store, task.id) == [task.seq]
        assert search(store, task.id[:6].upper())[-1] == task.seq


def test_texts_of_two_characters_are_looked_for_one_by_one(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.add(args='["qz"]')
        assert search(store, "qz") == [task.seq]
        hay(store)
        index(store)
        assert search(store, "qz") == []
        assert search(store, "qz", scan_limit=100) == [task.seq]
