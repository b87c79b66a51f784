"""Functions that leave their pool to the server are moved by what is measured of them."""

import asyncio
import time
from pathlib import Path

import pytest
from engine import call, engine, eventually, outcome, submit

from app.advice.moving import STEADY
from app.domain.annotations import Annotation
from app.domain.clock import ManualClock
from app.domain.errors import Conflict, NotFound, UnknownPool
from app.domain.placements import Placement, PlacementRule
from app.domain.states import State
from app.domain.tasks import StoredTask, TaskFilter
from app.runtime.service import Service
from app.store import queries

NAP = "runtime_functions.nap"
ENOUGH = 30  # runs for an advice that is sure of itself
POOLS = {"cpu": {"kind": "process", "size": 2}, "io": {"kind": "thread", "size": 8}}


async def nap(service: Service, number: int = 1) -> list[StoredTask]:
    """Run a function that waits so often."""
    ids = await service.submit_batch([call("nap", 0.01) for _ in range(number)])
    return [await outcome(service, task_id) for task_id in ids]


async def stand(service: Service, clock: ManualClock) -> None:
    """Let an advice stand for long enough to be followed, and be looked at again."""
    await nap(service, ENOUGH)
    await service.placements.look()
    clock.advance(STEADY)
    await nap(service)
    await service.placements.look()


def pool_of(service: Service, function: str = NAP) -> str:
    return service.catalogue.get(function).pool


async def marks(service: Service) -> list[Annotation]:
    found = await service.read(queries.annotations)
    return [each for each in found if each.kind == "placed"]


def test_what_waits_is_moved_to_threads_and_its_tasks_say_why(tmp_path: Path) -> None:
    async def story() -> None:
        clock = ManualClock()
        async with engine(tmp_path, clock, pools=POOLS) as service:
            (before,) = await nap(service)
            await stand(service, clock)
            await eventually(lambda: pool_of(service) == "io")  # its own look may do it
            (after,) = await nap(service)
            assert (before.pool, after.pool, after.state) == ("cpu", "io", State.SUCCEEDED)
            assert before.placed == Placement("cpu", PlacementRule.UNKNOWN).to_json()
            why = Placement.from_json(after.placed or "")
            assert (why.rule, why.verdict, why.before) == ("measured", "io_bound", "cpu")
            assert (why.runs, why.since, why.moves) == (ENOUGH + 2, clock.now(), 1)
            (mark,) = await marks(service)
            assert (mark.pool, mark.subject) == ("io", NAP)
            assert mark.data == {"before": "cpu", "verdict": "io_bound"}

        async with engine(tmp_path, clock, pools=POOLS) as service:
            assert pool_of(service) == "io"
            assert (await nap(service))[0].pool == "io"

    asyncio.run(story())


def test_an_advice_that_has_just_come_up_moves_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        clock = ManualClock()
        async with engine(tmp_path, clock, pools=POOLS) as service:
            await nap(service, ENOUGH)
            await service.placements.look()
            clock.advance(STEADY / 2)
            await nap(service)
            await service.placements.look()
            assert service.advisor.misplaced()
            assert pool_of(service) == "cpu"

    asyncio.run(story())


@pytest.mark.parametrize("rest", ["pause", "drain"])
def test_a_pool_that_rests_is_no_target(tmp_path: Path, rest: str) -> None:
    async def story() -> None:
        clock = ManualClock()
        async with engine(tmp_path, clock, pools=POOLS) as service:
            await (service.pause_pool if rest == "pause" else service.drain_pool)("io")
            await stand(service, clock)
            assert pool_of(service) == "cpu"

    asyncio.run(story())


def test_a_function_under_which_a_worker_died_stays_where_it_takes_nobody_along(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        clock = ManualClock(elapsed=time.monotonic())  # pools note deaths by the real one
        async with engine(tmp_path, clock, pools=POOLS) as service:
            died = await outcome(service, await submit(service, "nap", 0.01, 3))
            assert died.error_kind == "crashed"
            await stand(service, clock)
            assert pool_of(service) == "cpu"
            clock.advance(3600 + 60)
            await nap(service)
            await service.placements.look()
            await eventually(lambda: pool_of(service) == "io")  # its own look may do it

    asyncio.run(story())


def test_only_what_is_submitted_afterwards_goes_to_the_new_pool(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path, pools=POOLS) as service:
            await service.pause_pool("cpu")
            waiting = await submit(service, "nap", 0.01)
            await service.placements.place(NAP, "io")
            assert (await nap(service))[0].pool == "io"
            assert (await service.task(waiting)).state is State.QUEUED
            await service.resume_pool("cpu")
            assert (await outcome(service, waiting)).pool == "cpu"
            assert (await outcome(service, (await service.retry(waiting)).id)).pool == "cpu"

    asyncio.run(story())


def test_what_a_person_has_placed_stays_there_until_it_is_given_back(tmp_path: Path) -> None:
    async def story() -> None:
        clock = ManualClock()
        async with engine(tmp_path, clock, pools=POOLS) as service:
            await service.placements.place(NAP, "cpu")
            await stand(service, clock)
            assert pool_of(service) == "cpu"
            placement = service.catalogue.get(NAP).placement
            assert placement is not None
            assert placement.rule is PlacementRule.BY_HAND

            await service.placements.place(NAP, None)
            assert service.catalogue.get(NAP).placement == Placement("cpu", PlacementRule.UNKNOWN)
            await stand(service, clock)
            await eventually(lambda: pool_of(service) == "io")  # its own look may do it
            await service.placements.place(NAP, None)
            assert pool_of(service) == "cpu"
            assert await service.read(queries.placements) == {}

    asyncio.run(story())


def test_a_submission_that_names_a_pool_wins_and_has_no_reason(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path, pools=POOLS) as service:
            named = await outcome(service, await submit(service, "nap", 0.01, pool="io"))
            assert (named.pool, named.placed) == ("io", None)
            auto = await outcome(service, await submit(service, "nap", 0.01, pool="auto"))
            assert (auto.pool, auto.placed) == ("cpu", '{"pool":"cpu","rule":"unknown"}')
            listed = (await service.read(queries.tasks, TaskFilter())).items
            assert {task.placed for task in listed} == {None, auto.placed}

    asyncio.run(story())


def test_what_cannot_be_placed_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path, pools=POOLS) as service:
            with pytest.raises(NotFound, match="nothing_like_it"):
                await service.placements.place("nothing_like_it", "io")
            with pytest.raises(Conflict, match='names the pool "io" itself'):
                await service.placements.place("runtime_functions.settled", "cpu")
            with pytest.raises(UnknownPool, match="sea"):
                await service.placements.place(NAP, "sea")

    asyncio.run(story())


def test_the_server_looks_by_itself(tmp_path: Path) -> None:
    async def story() -> None:
        clock = ManualClock()
        async with engine(tmp_path, clock, pools=POOLS) as service:
            await nap(service, ENOUGH)
            await service.placements.look()
            clock.advance(STEADY)
            await nap(service)
            await eventually(lambda: pool_of(service) == "io")

    asyncio.run(story())
