"""Counters, dicts and lists by name: data goes in and comes out as JSON has it, one step at a time.

There is no server here: the same names work within a process.
"""

import itertools
import os
import subprocess
import sys
import threading
from typing import Any

import pytest

from pooldeck import shared
from pooldeck.access import SharedLimits
from pooldeck.shared.state import State

_names = (f"name {number}" for number in itertools.count())


@pytest.fixture
def name() -> str:
    """Return a name that no other test has."""
    return next(_names)


@pytest.fixture
def box(name: str) -> shared.dict:
    return shared.dict(name)


@pytest.fixture
def row(name: str) -> shared.list:
    return shared.list(name)


def test_a_counter_gives_each_who_adds_a_value_of_his_own(name: str) -> None:
    counter = shared.counter(name)
    seen: list[int] = []

    def count() -> None:
        seen.extend(counter.add() for _ in range(500))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seen) == list(range(1, 2001))
    assert counter.add(-5) == counter.value == 1995
    assert counter.set(0) == 1995


def test_a_counter_takes_whole_numbers_that_fit_into_64_bits(name: str) -> None:
    counter = shared.counter(name)
    counter.add(2**63 - 1)

    with pytest.raises(shared.SharedValueError, match="64 bits"):
        counter.add()
    with pytest.raises(shared.SharedValueError, match=r"whole numbers, not in 0\.5"):
        counter.add(0.5)  # type: ignore[arg-type]  # that is the point
    assert counter.value == 2**63 - 1


def test_two_handles_of_a_name_are_one_thing_and_kinds_have_names_of_their_own() -> None:
    shared.counter("twice").add(3)
    shared.dict("twice")["a"] = 1

    assert shared.counter("twice").value == 3
    assert len(shared.dict("twice")) == 1
    assert not shared.list("twice").copy()


def test_a_dict_does_what_a_dict_does(box: shared.dict) -> None:
    box["a"] = {"deep": [1, None, "ü"]}
    box.update({"b": 2}, c=3.5)

    assert box["a"] == {"deep": [1, None, "ü"]}
    assert box.get("z", "none") == "none"
    assert "b" in box
    assert "z" not in box
    assert box.keys() == ["a", "b", "c"]
    assert box.pop("b") == 2
    assert box.pop("b", None) is None
    assert box.setdefault("c", 9) == 3.5
    assert box.setdefault("d", 9) == 9
    del box["d"]
    assert box.copy() == {"a": {"deep": [1, None, "ü"]}, "c": 3.5}
    box.clear()
    assert len(box) == 0


def test_a_key_that_is_missing_is_a_key_error(box: shared.dict) -> None:
    with pytest.raises(KeyError, match=r"^'lost'$"):
        box["lost"]
    with pytest.raises(KeyError, match=r"^'lost'$"):
        box.pop("lost")


def test_increments_begin_with_nothing_and_refuse_what_is_no_number(box: shared.dict) -> None:
    assert box.increment("n") == 1
    assert box.increment("n", 41) == 42
    box["word"] = "forty"
    with pytest.raises(shared.SharedValueError, match="'word' is no whole number"):
        box.increment("word")
    assert box.copy() == {"n": 42, "word": "forty"}


def test_a_list_has_two_ends(row: shared.list) -> None:
    assert row.append("a") == 1
    assert row.extend(["b", {"c": 1}, "d"]) == 4
    row[1] = "B"

    assert (row[0], row[-1], len(row)) == ("a", "d", 4)
    assert row.pop(0) == "a"
    assert row.pop() == "d"
    assert row.copy() == ["B", {"c": 1}]
    row.clear()
    with pytest.raises(IndexError):
        row.pop()


def test_what_comes_out_is_a_copy(box: shared.dict) -> None:
    box["a"] = [1]
    box["a"].append(2)
    assert box["a"] == [1]


@pytest.mark.parametrize(
    "value", [object, {1, 2}, b"bytes", float("nan"), float("inf"), "\ud800"], ids=repr
)
def test_only_what_json_has_can_be_shared(box: shared.dict, value: Any) -> None:
    with pytest.raises(shared.SharedValueError, match="only what JSON has"):
        box["a"] = value
    assert len(box) == 0


def test_a_value_that_contains_itself_is_refused(row: shared.list) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(shared.SharedValueError):
        row.append(endless)


def test_the_keys_of_a_dict_are_texts(box: shared.dict) -> None:
    with pytest.raises(shared.SharedValueError, match="texts, not 1"):
        box[1] = "one"  # type: ignore[index]  # that is the point


def test_a_value_that_is_too_large_is_refused(box: shared.dict) -> None:
    with pytest.raises(shared.SharedLimitError, match=r"over shared.value_bytes = 1,048,576"):
        box["a"] = "x" * 1024 * 1024


def _do(state: State, kind: str, name: str, operation: str, *arguments: Any) -> Any:
    return state.call(kind, name, {}, operation, arguments)


def test_there_are_at_most_so_many_names_and_deleting_makes_room() -> None:
    state = State(SharedLimits(names=2))
    _do(state, "counter", "a", "add", 1)
    _do(state, "list", "a", "size")

    with pytest.raises(shared.SharedLimitError, match=r"2 names already, which is shared.names"):
        _do(state, "counter", "b", "add", 1)
    assert state.delete("counter", "a")
    assert not state.delete("counter", "a")
    assert _do(state, "counter", "b", "add", 1) == 1


def test_an_update_that_does_not_fit_changes_nothing_and_room_comes_back() -> None:
    state = State(SharedLimits(total_bytes=1000))
    _do(state, "dict", "d", "update", {"a": b"1" * 400})

    with pytest.raises(shared.SharedLimitError, match="no room for"):
        _do(state, "dict", "d", "update", {"a": b"2", "b": b"3" * 900})
    assert _do(state, "dict", "d", "items") == {"a": b"1" * 400}
    _do(state, "dict", "d", "pop", "a")
    _do(state, "list", "l", "extend", [b"4" * 900])
    with pytest.raises(shared.SharedLimitError):
        _do(state, "dict", "d", "update", {"a": b"5" * 400})
    state.delete("list", "l")
    _do(state, "dict", "d", "update", {"a": b"5" * 900})
    assert state.snapshot()["bytes"] == 900 + 1 + 64


@pytest.mark.parametrize("bad", ["", "x" * 201])
def test_a_name_has_some_characters_and_not_too_many(bad: str) -> None:
    with pytest.raises(shared.SharedValueError, match="1 to 200 characters"):
        shared.counter(bad).add()


def test_a_process_that_a_task_started_anew_is_told_that_it_has_no_way_there() -> None:
    source = "from pooldeck import shared\nshared.counter('n').add()"
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={**os.environ, "POOLDECK_WORKER": "cpu-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "SharedUnavailableError: shared state is reached by workers" in done.stderr
