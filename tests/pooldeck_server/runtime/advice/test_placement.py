"""Where functions run that leave their pool to the server: where they start, and people place."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pooldeck_server.domain.errors import Conflict, NotFound, UnknownPool
from pooldeck_server.domain.functions.placements import Placement, PlacementRule
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support.engine import call, engine, outcome, submit

NAP = "runtime_functions.nap"
CHOSEN = "runtime_functions.sleep"  # by a person
NAMED = "runtime_functions.settled"  # names its pool itself: io
POOLS = {"cpu": {"kind": "process", "size": 2}, "io": {"kind": "thread", "size": 8}}


async def nap(server: Server, number: int = 1) -> list[StoredTask]:
    """Run a function that waits so often."""
    ids = await server.intake.submit_batch([call("nap", 0.01) for _ in range(number)])
    return [await outcome(server, task_id) for task_id in ids]


def pool_of(server: Server, function: str = NAP) -> str:
    return server.catalogue.get(function).pool


async def marks(server: Server) -> list[StoredAnnotation]:
    found = await server.read(queries.annotations)
    return [each for each in found if each.kind == "placed"]


async def test_only_what_is_submitted_afterwards_goes_to_the_new_pool(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=POOLS) as server:
        await server.pools.pause("cpu")
        waiting = await submit(server, "nap", 0.01)
        await server.placements.place(NAP, "io")
        assert (await nap(server))[0].pool == "io"
        assert (await server.tasks.get(waiting)).state is State.QUEUED
        await server.pools.resume("cpu")
        assert (await outcome(server, waiting)).pool == "cpu"
        assert (await outcome(server, (await server.tasks.retry(waiting)).id)).pool == "cpu"


async def test_what_a_person_has_placed_stays_there_until_it_is_given_back(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=POOLS) as server:
        await server.placements.place(NAP, "io")
    async with engine(tmp_path, pools=POOLS) as server:
        placement = server.catalogue.get(NAP).placement
        assert placement is not None
        assert (placement.pool, placement.rule, placement.before) == ("io", "by_hand", "cpu")
        await server.placements.place(NAP, None)
        await server.placements.place(NAP, None)  # which changes nothing
        assert server.catalogue.get(NAP).placement == Placement("cpu", PlacementRule.PLAIN)
        assert await server.read(queries.placements) == {}
    async with engine(tmp_path, pools=POOLS) as server:
        assert pool_of(server) == "cpu"
        back, there = await marks(server)
        assert (there.pool, there.data) == ("io", {"before": "cpu"})
        assert (back.pool, back.data) == ("cpu", {"before": "io", "given_back": "by_hand"})


# As an earlier version kept it, which moved functions by what it had measured.
MOVED = (
    '{"pool":"io","rule":"measured","since":7,"verdict":"io_bound","confidence":"high",'
    '"runs":120,"gain":3.0,"before":"cpu","moves":1}'
)


def move_as_before(folder: Path, *functions: str) -> None:
    """Let the database of a server that has ended say that functions were moved, and tasks too."""
    with closing(sqlite3.connect(folder / "pooldeck.sqlite3")) as database, database:
        rows = [(name, "io", 7, MOVED) for name in functions]
        database.executemany("INSERT OR REPLACE INTO placements VALUES (?, ?, ?, ?)", rows)
        database.execute("UPDATE tasks SET placed = ?", [MOVED])


async def test_a_function_that_measurements_had_moved_is_given_back_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def said() -> list[str]:
        return [each for each in caplog.messages if "given back" in each]

    async with engine(tmp_path, pools=POOLS) as server:
        await server.pools.pause("io")
        await server.placements.place(CHOSEN, "io")
        waiting = await submit(server, "nap", 0.01, pool="io")
    move_as_before(tmp_path, NAP, NAMED, "gone.away")
    async with engine(tmp_path, pools=POOLS) as server:
        assert server.catalogue.get(NAP).placement == Placement("cpu", PlacementRule.PLAIN)
        assert [pool_of(server, CHOSEN), pool_of(server, NAMED)] == ["io", "io"]
        assert (await server.read(queries.placements)).keys() == {CHOSEN}
        assert (await nap(server))[0].pool == "cpu"
        (line,) = said()
        assert all(f"{name} (was in io)" in line for name in (NAP, NAMED, "gone.away"))
        assert CHOSEN not in line
        (mark,) = [each for each in await marks(server) if each.subject != CHOSEN]
        assert (mark.subject, mark.pool) == (NAP, "cpu")
        assert mark.data == {"before": "io", "given_back": "measured"}

        assert (await server.tasks.get(waiting)).state is State.QUEUED
        await server.pools.resume("io")
        ended = await outcome(server, waiting)
        assert (ended.pool, ended.state) == ("io", State.SUCCEEDED)
        assert Placement.from_json(ended.placed or "").rule is PlacementRule.MEASURED
    async with engine(tmp_path, pools=POOLS) as server:
        assert pool_of(server) == "cpu"
        assert len(said()) == 1


async def test_a_submission_that_names_a_pool_wins_and_has_no_reason(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=POOLS) as server:
        named = await outcome(server, await submit(server, "nap", 0.01, pool="io"))
        assert (named.pool, named.placed) == ("io", None)
        auto = await outcome(server, await submit(server, "nap", 0.01, pool="auto"))
        assert (auto.pool, auto.placed) == ("cpu", '{"pool":"cpu","rule":"plain"}')
        listed = (await server.read(queries.tasks, TaskFilter())).items
        assert {task.placed for task in listed} == {None, auto.placed}


async def test_what_cannot_be_placed_is_refused(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=POOLS) as server:
        with pytest.raises(NotFound, match="nothing_like_it"):
            await server.placements.place("nothing_like_it", "io")
        with pytest.raises(Conflict, match='names the pool "io" itself'):
            await server.placements.place("runtime_functions.settled", "cpu")
        with pytest.raises(UnknownPool, match="sea"):
            await server.placements.place(NAP, "sea")
