"""What the deck shows of its pools: how slots are drawn, in which order, and which of them."""

from typing import Any

import pytest
from msgspec.structs import replace

from pooldeck.functions import FunctionSpec, Options
from pooldeck.kinds import PoolKind
from pooldeck_server.domain.frames import EndsWindow, Frame
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.pools.health import PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.web.pages.deck.view import Narrowed, pools_shown
from pooldeck_server.web.pages.shared.tiles import late_first, layout, slot_state, spark

BUSY = SlotHealth("t", "acme.f", 1.0)


def worker(*slots: SlotHealth, state: str = "idle") -> WorkerHealth:
    return WorkerHealth("cpu-1", 1, state, None, 0, slots)


def pool(name: str = "cpu", *workers: WorkerHealth, **changes: Any) -> PoolHealth:
    health = PoolHealth(name, PoolKind.PROCESS, 2, "running", None, 0, 0, None, 0, workers)
    return replace(health, **changes)


@pytest.mark.parametrize(
    ("slot", "worker_state", "pool_state", "word"),
    [
        (SlotHealth(), "idle", "running", "idle"),
        (SlotHealth(), "idle", "paused", "paused"),
        (SlotHealth(), "idle", "draining", "paused"),
        (SlotHealth(), "starting", "paused", "starting"),
        (SlotHealth(), "stopping", "running", "stopping"),
        (BUSY, "busy", "paused", "busy"),
        (replace(BUSY, cancel_requested=True), "busy", "running", "asked"),
        (replace(BUSY, abandoned=True), "busy", "running", "abandoned"),
    ],
)
def test_a_slot_has_one_state(
    slot: SlotHealth, worker_state: str, pool_state: str, word: str
) -> None:
    assert slot_state(worker(slot, state=worker_state), slot, pool_state) == word


def test_more_than_64_slots_are_squares() -> None:
    assert layout(pool(size=64)) == "tiles"
    assert layout(pool(kind=PoolKind.THREAD, size=64)) == "cells"
    assert layout(pool(kind=PoolKind.THREAD, size=65)) == layout(pool(size=65)) == "squares"


def test_late_slots_come_first_and_keep_their_numbers() -> None:
    slots = [SlotHealth(), replace(BUSY, is_late=True), BUSY, replace(BUSY, is_late=True)]
    assert [number for number, _ in late_first(slots)] == [2, 4, 1, 3]


def test_a_worker_with_a_late_slot_comes_first() -> None:
    late = replace(worker(replace(BUSY, is_late=True)), id="cpu-2")
    assert [each.id for _, each in late_first([worker(BUSY), late])] == ["cpu-2", "cpu-1"]


def test_a_sparkline_ends_at_the_right_edge_and_its_highest_value_at_the_top() -> None:
    assert spark((0.0, 5.0, 10.0)) == "87,23 88,13 89,3"
    assert spark((0.0, 0.0)) == "88,23 89,23"
    assert spark(()) == ""
    assert len(spark(tuple(map(float, range(200)))).split()) == 90


# What the page is narrowed to.


def shown(narrowed: Narrowed, *pools: PoolHealth) -> list[str]:
    functions = {"acme.f": "cpu", "acme.g": "io"}
    specs = [
        FunctionSpec(name, "acme", "()", "", [], {"type": "object"}, Options(pool=home))
        for name, home in functions.items()
    ]
    frame = Frame(1, 0, {}, EndsWindow(3600), 0.0, None, pools, ())
    catalogue = Catalogue({"cpu": PoolKind.PROCESS, "io": PoolKind.THREAD}, specs)
    return [each.name for each in pools_shown(frame, catalogue, narrowed)]


def test_a_page_shows_all_pools_or_the_one_it_is_narrowed_to() -> None:
    assert shown(Narrowed(), pool("cpu"), pool("io")) == ["cpu", "io"]
    assert shown(Narrowed("io"), pool("cpu"), pool("io")) == ["io"]
    assert shown(Narrowed("gone"), pool("cpu")) == []


def test_a_function_narrows_to_its_pool_and_to_those_in_which_it_runs() -> None:
    runs_g = worker(replace(BUSY, function="acme.g"))
    assert shown(Narrowed(None, "acme.g"), pool("cpu"), pool("io")) == ["io"]
    assert shown(Narrowed(None, "acme.g"), pool("cpu", runs_g), pool("io")) == ["cpu", "io"]


def test_each_narrowing_can_be_taken_back() -> None:
    narrowed = Narrowed("cpu", "acme.f")
    assert narrowed.without("pool") == "/?function=acme.f"
    assert narrowed.without("function") == "/?pool=cpu"
    assert Narrowed("cpu").without("pool") == "/"
