"""The log of actions: written once, added to, read in pages, trimmed by age."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pooldeck_server.domain.actions import Action, ActionFilter, ActionPage, ActorKind, Deed
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

NOW = 1_700_000_000_000_000
ONE = Action(
    id="one",
    at=NOW,
    actor="ada",
    actor_kind=ActorKind.PRINCIPAL,
    address="10.0.0.7",
    deed=Deed.RESIZE,
    target_kind="pool",
    target="cpu",
    before={"size": 2},
    after={"size": 4},
    reason="50 % more, as 'ünï' says",
)


def page(store: Store, cursor: str | None = None, limit: int = 50, **wanted: Any) -> ActionPage:
    return store.read(queries.actions, ActionFilter(**wanted), limit, cursor)


def ids(store: Store, **wanted: Any) -> list[str]:
    return [each.id for each in page(store, **wanted).items]


def test_an_action_comes_back_whole(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.write(records.act, ONE)
        (found,) = page(store).items
        assert {name: getattr(found, name) for name in ONE.__struct_fields__} == {
            name: getattr(ONE, name) for name in ONE.__struct_fields__
        }


def test_what_is_done_in_several_commits_is_one_action_that_grows(tmp_path: Path) -> None:
    many = replace(ONE, deed=Deed.CANCEL, target_kind="tasks", target=None)
    with opened(tmp_path) as store:
        tasks = [store.add() for _ in range(3)]
        for part in (tasks[:2], tasks[2:]):

            def cancel(tx: Any, seqs: list[int]) -> None:
                records.act_on_moved(tx, many, records.cancel(tx, seqs, NOW))

            store.write(cancel, [task.seq for task in part])
            store.write(cancel, [task.seq for task in part])  # they are cancelled already

        (found,) = page(store).items
        assert found.number == 3
        for task in tasks:
            assert [each.id for each in store.read(queries.actions_on_task, task.seq, 5)] == ["one"]
            assert ids(store, target=task.id) == ["one"]


def test_pages_follow_each_other_and_filters_narrow(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for number in range(5):
            store.write(records.act, replace(ONE, id=str(number), at=NOW + number))
        other = replace(ONE, id="x", actor="bob", deed=Deed.PAUSE, target="io", reason=None)
        store.write(records.act, replace(other, address="10.0.0.8"))

        first = page(store, limit=4)
        second = page(store, first.next_cursor, 4)
        assert [each.id for each in (*first.items, *second.items)] == ["x", *"43210"]
        assert second.next_cursor is None
        assert ids(store, actor="bob") == ids(store, deeds=(Deed.PAUSE,)) == ["x"]
        assert ids(store, target="io") == ids(store, text="0.0.8") == ["x"]
        assert ids(store, text="50 %", since=NOW + 3) == ["4", "3"]
        assert ids(store, until=NOW + 1, target_kind="pool") == ["x", "0"]
        assert ids(store, text="%e%") == []
        assert store.read(queries.actors, 0) == ["ada", "bob"]
        with pytest.raises(InvalidRequest):
            page(store, "nonsense")


def test_only_what_is_old_is_trimmed_and_tasks_stay(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.add()
        store.write(records.act, ONE, [task.seq])
        store.write(records.act, replace(ONE, id="two", at=NOW + 10), [task.seq])

        assert store.write(records.trim_actions, NOW + 10) == 1
        assert store.write(records.trim_actions, NOW + 10) == 0
        assert ids(store) == ids(store, target=task.id) == ["two"]
        assert store.read(queries.task, task.id) is not None
