"""What is said to need attention, and what is not."""

from typing import Any

import pytest
from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck.pools.port import Outgrown
from pooldeck_server.domain.errors import DiskFull
from pooldeck_server.domain.failures.error_groups import GroupState, StoredErrorGroup
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.pools.health import PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.domain.pools.history import Recent
from pooldeck_server.runtime.live.notices import (
    Since,
    lately,
    of_backlog,
    of_errors,
    of_pool,
    of_store,
    on_hold,
)
from pooldeck_server.store.standing import Displaced, Displacement

SECOND = 1_000_000


def slot(elapsed: float | None, **more: Any) -> SlotHealth:
    """Return a slot that has been busy for so many seconds; None is a free one."""
    if elapsed is None:
        return SlotHealth()
    return SlotHealth(task="t", function="acme.f", elapsed=elapsed, **more)


def pool(*slots: SlotHealth, **changes: Any) -> PoolHealth:
    """Return a pool of one worker that has these slots."""
    worker = WorkerHealth("cpu-1", 1, "busy", None, 0, slots)
    health = PoolHealth(
        "cpu", PoolKind.THREAD, len(slots), "running", None, 0, 0, None, 0, (worker,)
    )
    return replace(health, **changes)


def needs(health: PoolHealth) -> list[Need]:
    return [notice.need for notice in of_pool(health)]


def test_a_pool_in_which_nothing_ends_while_something_waits_starves() -> None:
    (notice,) = of_pool(pool(slot(300), slot(14), queued=3))

    assert notice == Notice(Need.STARVATION, "cpu", seconds=14, number=2)


@pytest.mark.parametrize(
    "health",
    [
        pool(slot(300), slot(9), queued=3),  # something has just ended
        pool(slot(300), slot(None), queued=3),  # a slot is free
        pool(slot(300), queued=0),  # nothing waits
        pool(slot(None), slot(400, abandoned=True), size=1, queued=1, state="running"),
    ],
    ids=["ended", "free", "no queue", "abandoned"],
)
def test_a_pool_that_gets_on_does_not_starve(health: PoolHealth) -> None:
    assert Need.STARVATION not in needs(health)


def test_a_pool_whose_workers_are_too_large_again_and_again_is_short_of_memory() -> None:
    often = pool(slot(None), outgrown=3, max_memory_bytes=260 * 1024 * 1024)
    assert list(of_pool(often)) == [Notice(Need.OUTGROWN, "cpu", number=3, reason="260 MiB")]
    assert needs(pool(slot(None), outgrown=2, max_memory_bytes=1)) == []


def test_what_was_too_large_is_remembered_for_ten_minutes() -> None:
    at_times = [Outgrown(at, 1) for at in (0.0, 500.0, 900.0)]
    assert lately(at_times, 1000.0) == at_times[1:]


@pytest.mark.parametrize(
    ("elapsed", "starves"), [(39.0, False), (41.0, True)], ids=["as usual", "far longer"]
)
def test_a_pool_whose_tasks_usually_take_long_does_not_starve_for_that(
    elapsed: float, starves: bool
) -> None:
    busy = pool(slot(elapsed, usual_p95=20.0), queued=5)
    assert (Need.STARVATION in needs(busy)) == starves


def test_a_pool_is_short_of_slots_if_all_are_busy_and_a_task_waits_that_needs_but_one() -> None:
    recent = Recent(1.0, 0.1, 20.0, 0.95, ())
    busy = pool(slot(3.0, usual_p95=20.0), queued=5, recent=recent)
    assert list(of_backlog(busy, 61.0)) == [Notice(Need.SHORT_OF_SLOTS, "cpu", 61.0, 5)]
    assert not [*of_backlog(busy, 59.0), *of_backlog(busy, None)]
    assert not [*of_backlog(replace(busy, recent=replace(recent, utilization=0.5)), 61.0)]
    assert not [*of_backlog(replace(busy, state="paused"), 61.0)]


def test_a_task_far_beyond_what_is_usual_is_stuck_and_named() -> None:
    (notice,) = of_pool(pool(slot(31, usual_p95=10.0), slot(None)))

    assert (notice.need, notice.task, notice.worker) == (Need.STUCK, "t", "cpu-1")
    assert (notice.seconds, notice.usual) == (31, 10.0)


@pytest.mark.parametrize(
    "busy",
    [
        slot(29, usual_p95=10.0),  # long, but such things happen
        slot(9, usual_p95=0.001),  # nobody has to get up for that yet
        slot(4000),  # nobody knows what is usual
        slot(50, timeout=60),
    ],
)
def test_a_task_that_may_just_take_long_is_not_stuck(busy: SlotHealth) -> None:
    assert needs(pool(busy, slot(None))) == []


def test_a_task_past_its_timeout_is_stuck_whatever_is_usual() -> None:
    assert needs(pool(slot(8, timeout=5), slot(None))) == [Need.STUCK]


def test_several_stuck_tasks_of_a_pool_are_one_notice() -> None:
    (notice,) = of_pool(pool(slot(40, usual_p95=1.0), slot(90, usual_p95=1.0), slot(None)))

    assert (notice.need, notice.number, notice.seconds, notice.task) == (Need.STUCK, 2, 90, None)


def test_abandoned_threads_are_counted_by_worker() -> None:
    left = slot(400, abandoned=True)

    assert list(of_pool(pool(slot(None), left, left))) == [
        Notice(Need.ABANDONED, "cpu", number=2, worker="cpu-1")
    ]


def test_a_pool_that_hands_nothing_out_is_noticed_but_does_not_starve() -> None:
    assert needs(pool(slot(300), queued=3, state="paused")) == [Need.PAUSED]
    assert needs(pool(slot(300), queued=3, state="stopped")) == [Need.STOPPED]


def test_a_broken_pool_says_why() -> None:
    (notice,) = of_pool(pool(state="broken", reason="No module named 'torch'\nTraceback"))

    assert (notice.need, notice.reason) == (Need.BROKEN, "No module named 'torch'\nTraceback")


def test_a_hold_tells_since_when_and_why() -> None:
    hold = Hold("acme.f", since=5 * SECOND, deaths=5, reason="5 workers died under acme.f")

    notice = on_hold(hold, "cpu", 65 * SECOND)

    assert (notice.need, notice.function, notice.seconds) == (Need.HOLD, "acme.f", 60)
    assert notice.reason == hold.reason


def test_a_database_that_refuses_says_why_and_one_that_lags_how_long() -> None:
    full = DiskFull("there is no room on the disk")
    assert list(of_store(None, None, None)) == []
    assert list(of_store(None, None, 2.5)) == [Notice(Need.SLOW_WRITES, seconds=2.5)]
    (refused,) = of_store(None, full, 2.5)
    assert (refused.need, refused.reason) == (Need.REFUSED_WRITES, "there is no room on the disk")


@pytest.mark.parametrize("how", Displaced)
def test_a_database_that_is_not_the_one_that_was_opened_is_the_first_thing_to_say(
    how: Displaced,
) -> None:
    displacement = Displacement(how, "/data/pooldeck.sqlite3", "17")
    (notice,) = of_store(displacement, DiskFull("there is no room on the disk"), 2.5)
    assert (notice.need, notice.file, notice.reason) == (
        f"{how}_database",
        "/data/pooldeck.sqlite3",
        "17",
    )


def group(name: str) -> StoredErrorGroup:
    return StoredErrorGroup(
        id=name,
        kind="exception",
        type="ValueError",
        place="acme/jobs.py:f",
        message="",
        n=1,
        first_seen=0,
        last_seen=0,
        last_task="t",
        state=GroupState.RETURNED,
        changed_at=0,
    )


def test_one_error_that_returned_is_named_and_many_are_counted() -> None:
    (notice,) = of_errors([group("a")], 90 * SECOND)
    assert (notice.need, notice.group, notice.reason) == (Need.RETURNED, "a", "ValueError")
    assert notice.seconds == 90
    (many,) = of_errors([group("a"), group("b")], 0)
    assert (many.number, many.group) == (2, None)


# Since when.


def seconds(notices: tuple[Notice, ...]) -> list[float | None]:
    return [notice.seconds for notice in notices]


def test_what_begins_while_the_server_looks_has_its_time_from_then_on() -> None:
    since, paused = Since(), Notice(Need.PAUSED, "cpu")
    since.fill("cpu", [], 100.0)

    assert seconds(since.fill("cpu", [paused], 101.0)) == [0.0]
    assert seconds(since.fill("cpu", [paused], 108.0)) == [7.0]
    since.fill("cpu", [], 109.0)
    assert seconds(since.fill("cpu", [paused], 110.0)) == [0.0]


def test_nobody_knows_since_when_a_pool_was_paused_before_the_first_look() -> None:
    since, paused = Since(), Notice(Need.PAUSED, "cpu")
    since.fill("cpu", [paused], 100.0)

    assert seconds(since.fill("cpu", [paused], 200.0)) == [None]


def test_a_time_that_is_known_is_kept() -> None:
    stuck = Notice(Need.STUCK, "cpu", 44.0)

    assert seconds(Since().fill("cpu", [stuck], 0.0)) == [44.0]
