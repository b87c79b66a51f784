"""What the page of the pools says, and what is asked before something is done to them."""

import re
from typing import Any

import msgspec
import pytest

from pooldeck.cpus import usable_cpus
from pooldeck.kinds import PoolKind
from pooldeck_server.advice.sizes import size_advice
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.controls import PoolControl
from pooldeck_server.domain.pools.health import PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.domain.pools.loads import LoadWindow, Passed, PoolLoad
from pooldeck_server.domain.pools.memory import MemoryGrowth, PoolMemory
from pooldeck_server.domain.pools.sizes import (
    FunctionCost,
    Machine,
    SizeAdvice,
    SizedPool,
    SizeOrigin,
)
from pooldeck_server.settings import PoolSettings
from pooldeck_server.web.pages.pools import confirm as confirm_pools
from pooldeck_server.web.pages.pools.advice import shown
from pooldeck_server.web.pages.pools.data import LATELY
from pooldeck_server.web.pages.pools.machine import shown_machine
from pooldeck_server.web.pages.pools.memory import shown_memory
from pooldeck_server.web.pages.pools.sizes import meaning, origin, slider_end
from pooldeck_server.web.pages.pools.view import PoolSection, pool_section
from pooldeck_server.web.text.annotations import history_words
from tests.support.served import Served

MIB = 1024 * 1024
BUSY = SlotHealth("t1", "acme.render", 7.0)


def pool(**changes: Any) -> PoolHealth:
    health = PoolHealth("cpu", PoolKind.PROCESS, 2, "running", None, 0, 0, None, 0, ())
    return msgspec.structs.replace(health, **changes)


def worker(*slots: SlotHealth, rss_bytes: int | None = None) -> WorkerHealth:
    return WorkerHealth("cpu-1", 1, "busy", 0, 0, slots, rss_bytes=rss_bytes)


# Sizes.


def memory(kind: PoolKind = PoolKind.PROCESS, **changes: Any) -> PoolMemory:
    """Return the memory of a pool of two slots, of which nothing is known yet."""
    unknown = PoolMemory(kind, 2, 2, 0, 0, worker_limit=0, available=None, others=0)
    return msgspec.structs.replace(unknown, **changes)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (1, "1 process, 2 CPUs: 1 CPU stays free."),
        (2, "2 processes, 2 CPUs: each can compute at full speed."),
        (4, "4 processes, 2 CPUs: more than the CPUs, work that computes will not go faster."),
    ],
)
def test_a_number_of_processes_is_held_against_the_cpus(size: int, words: str) -> None:
    assert meaning(size, memory(), unjudged("cpu")).startswith(words)


def test_a_size_says_what_memory_it_needs_of_what_there_is() -> None:
    known = memory(held=200 * MIB, most=150 * MIB, available=1024 * MIB, others=100 * MIB)
    words = meaning(6, known, unjudged("cpu"))
    assert "About 900 MiB of 1.0 GiB of memory; with the 100 MiB of the rest" in words
    assert "which is tight" in words
    assert "150 MiB for each worker, the most that one of them has held" in words
    assert "more than there is" in meaning(7, known, unjudged("cpu"))
    assert "which fits" in meaning(3, known, unjudged("cpu"))
    assert "memory" not in meaning(2, known, unjudged("cpu")), "what is there now stands above it"


def test_a_size_says_what_it_would_get_through_where_that_is_known() -> None:
    load = PoolLoad((LoadWindow(300, 0.0, 2, 1, 0.0, 0.0, 0.0, (Passed("a", 3000, 3000),)),))
    busy = SizedPool(
        *("cpu", PoolKind.PROCESS, 2, SizeOrigin("setting", 2)),
        load=load,
        cost=FunctionCost(alone=0.1, cpu=0.1, gil=0.1, wall=0.1),
    )
    advice = size_advice(busy, Machine(cpus=4, affinity=4), [busy])
    assert "Up to 40 tasks a second" in meaning(4, memory(), advice)
    assert "Up to 10 tasks a second, and a queue that grows" in meaning(1, memory(), advice)
    assert "nothing was measured" in meaning(4, memory(), unjudged("cpu"))


def test_threads_share_one_process_and_many_of_them_are_warned_of() -> None:
    held = memory(PoolKind.THREAD, workers=1, held=50 * MIB, most=50 * MIB, available=1024 * MIB)
    few = meaning(32, held, unjudged("cpu"))
    assert few.startswith("32 threads in one process.")
    assert "About 50 MiB of 1.0 GiB" in few
    assert "open connections" not in few
    assert "open connections" in meaning(101, held, unjudged("cpu"))


def test_the_functions_that_made_workers_grow_are_named_the_worst_first() -> None:
    grown = (MemoryGrowth("acme.hog", 8.0 * MIB, 10), MemoryGrowth("acme.f", 1.0 * MIB, 4))
    shown = shown_memory(memory(held=MIB, available=100 * MIB, growth=grown))
    assert [(row.function, row.per_run, row.lately) for row in shown.growth] == [
        ("acme.hog", "8.0 MiB", "80 MiB"),
        ("acme.f", "1.0 MiB", "4.0 MiB"),
    ]


def test_the_origin_of_a_size_is_told() -> None:
    by_hand = PoolControl("cpu", 3, 1200)
    default = PoolSettings(kind="process")
    assert origin(PoolKind.PROCESS, default, by_hand) == "by hand, configured 1,200"
    paused = PoolControl("cpu", None, 2, "paused")
    assert origin(PoolKind.PROCESS, default, paused) == "default: as many as there are CPUs"
    assert origin(PoolKind.THREAD, PoolSettings(kind="thread"), None).startswith(
        "default: four more"
    )
    assert (
        origin(PoolKind.PROCESS, PoolSettings(kind="process", size=4), None) == "from the settings"
    )


@pytest.mark.parametrize(
    ("kind", "size", "end"),
    [("process", 2, 16), ("process", 500, 500), ("thread", 32, 128), ("thread", 900, 900)],
)
def test_a_slider_reaches_at_least_to_the_present_size(kind: str, size: int, end: int) -> None:
    assert slider_end(pool(kind=kind, size=size), cpus=2) == end


# The page.


def unjudged(name: str) -> SizeAdvice:
    """Return the advice on the size of a pool in which nothing ran."""
    idle = SizedPool(name, PoolKind.PROCESS, 2, SizeOrigin("default", 2))
    return size_advice(idle, Machine(cpus=2, affinity=2), [idle])


def test_the_machine_is_told_apart_from_its_pools() -> None:
    wide = SizedPool("cpu", PoolKind.PROCESS, 6, SizeOrigin("default", 6))
    advice = size_advice(wide, Machine(cpus=2, affinity=4, quota=2.0, load=(1.5, 1, 1)), [wide])
    known = memory(held=200 * MIB, available=1024 * MIB, others=100 * MIB)
    machine = shown_machine(advice, known)
    assert dict(machine.facts) == {
        "CPUs": "2 (4 by affinity, 2 by cgroup)",
        "Slots of all pools that compute": "6",
        "Load average": "1.5",
        "Memory of server and pools": "300 MiB of 1.0 GiB",
    }
    said = "All pools together may compute on 6 slots at once, with 2 CPUs."
    assert machine.sentences == (said,)
    assert said not in shown(advice).sentences


def test_how_many_threads_libraries_may_start_is_told() -> None:
    assert section(size=1).native_threads == usable_cpus()
    assert section(size=1000).native_threads == 1
    assert section(kind=PoolKind.THREAD, size=1).native_threads == 0


def section(*annotations: StoredAnnotation, **changes: Any) -> PoolSection:
    return pool_section(
        pool(**changes),
        PoolSettings(kind="process"),
        annotations,
        homes={"acme.a": "cpu", "acme.b": "io"},
        advice=unjudged("cpu"),
        memory=memory(),
    )


def test_what_was_done_is_said_of_the_pool_it_was_done_to(server: Served) -> None:
    name, *others = server.http.get("/api/v1/pools").json()["items"]
    assert others
    page = server.http.get("/pools", params={"pool": name["name"], "did": "paused"}).text
    (own,) = re.findall(
        rf'<section class="pool-page" id="{name["name"]}".*?</section>', page, re.DOTALL
    )
    assert own.count('class="flash"') == page.count('class="flash"') == 1


def test_what_was_done_lately_leaves_out_holds_on_functions_of_other_pools() -> None:
    done = [StoredAnnotation(9, "hold", subject=name) for name in ("acme.a", "acme.b", "acme.gone")]
    done += [StoredAnnotation(8, "drain", "cpu", reason="new disk")] * LATELY
    lately = section(*done).lately
    assert len(lately) == LATELY
    assert history_words(lately[0]) == "acme.a was put on hold"
    assert (history_words(lately[1]), lately[1].reason) == ("drained", "new disk")


def test_attention_is_drawn_to_what_the_state_does_not_say_already() -> None:
    notices = (Notice(Need.PAUSED, "cpu"), Notice(Need.ABANDONED, "cpu", number=2, worker="cpu-1"))
    attention = section(notices=notices).attention
    assert ["2 abandoned threads" in each.text for each in attention] == [True]


# Questions.


def test_killing_a_worker_names_the_tasks_that_it_cuts_off_and_asks_for_a_reason() -> None:
    abandoned = SlotHealth("t2", "acme.wait", 90.0, abandoned=True)
    asked = confirm_pools.kill_worker(pool(), worker(BUSY, SlotHealth(), abandoned))
    assert asked.sentences[1] == "1 task runs in it: it is cut off and counts as cancelled."
    assert [(slot.task, becomes) for slot, becomes in asked.affected] == [
        ("t1", "runs for 7.0 s, will be cancelled"),
        ("t2", "was abandoned, and its thread ends"),
    ]
    assert asked.asks_reason
    assert asked.back == "/pools#cpu"


def test_only_the_first_tasks_of_many_are_listed_and_all_are_counted() -> None:
    asked = confirm_pools.kill_worker(pool(), worker(*[BUSY] * 32))
    assert len(asked.affected) + asked.unlisted == 32
    assert "32 tasks run in it" in asked.sentences[1]
    assert confirm_pools.kill_worker(pool(), worker()).sentences[1] == "No task runs in it."


def test_draining_says_what_becomes_of_what_runs_and_of_what_waits() -> None:
    busy = confirm_pools.drain(pool(busy=1, queued=1340))
    assert busy.sentences[0] == "1 task runs in it: it is finished first."
    assert busy.sentences[1].startswith("1,340 tasks wait in its queue: they stay there")
    assert confirm_pools.drain(pool()).sentences[:2] == (
        "No task runs in it.",
        "No task waits in its queue.",
    )


def test_a_restart_says_how_many_workers_are_replaced() -> None:
    asked = confirm_pools.restart(pool(workers=(worker(), worker())))
    assert asked.sentences[0].startswith("2 workers are replaced, one after the other")
    assert (asked.action, asked.asks_reason) == ("/pools/cpu/restart", True)
