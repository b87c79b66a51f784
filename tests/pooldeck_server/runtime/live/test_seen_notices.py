"""Notices that somebody has seen: they stay so until they end or get worse."""

from pathlib import Path

import pytest

from pooldeck_server.domain.actions import ActionFilter, Deed
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.store import queries
from tests.support.engine import engine

PAUSED = Notice(Need.PAUSED, "cpu")
STUCK = Notice(Need.STUCK, "cpu", 60.0, 2)


async def test_who_has_seen_a_notice_is_kept_over_a_restart_and_in_the_log(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        await server.pools.pause("cpu")
        seen = await server.seen_notices.see("paused:cpu", lambda notice: f"{notice.pool} rests")
        assert (seen.by, server.seen_notices.of(PAUSED)) == ("server", seen)
        with pytest.raises(NotFound, match="ended"):
            await server.seen_notices.see("paused:io", str)
        (action, _) = (await server.read(queries.actions, ActionFilter())).items
        assert (action.deed, action.target, action.reason) == (
            Deed.SEE_NOTICE,
            "paused:cpu",
            "cpu rests",
        )
    async with engine(tmp_path) as server:
        assert server.seen_notices.of(PAUSED) == seen
        await server.seen_notices.unsee("paused:cpu")
        assert server.seen_notices.of(PAUSED) is None
    async with engine(tmp_path) as server:
        assert server.seen_notices.of(PAUSED) is None


async def test_what_has_ended_is_told_anew_when_it_comes_again(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        notices = server.seen_notices
        notices.over_after = notices.sure_after = 0.0
        await server.pools.pause("cpu")
        await notices.see("paused:cpu", str)
        await notices.step()
        assert notices.of(PAUSED) is not None  # it is still so
        await server.pools.resume("cpu")
        await notices.step()
        await server.pools.pause("cpu")
        assert notices.of(PAUSED) is None
        assert await server.read(queries.seen_notices) == []


async def test_a_notice_that_is_only_away_for_a_moment_stays_seen(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        await server.pools.pause("cpu")
        await server.seen_notices.see("paused:cpu", str)
        await server.pools.resume("cpu")
        await server.seen_notices.step()
        await server.pools.pause("cpu")
        assert server.seen_notices.of(PAUSED) is not None


async def test_what_gets_worse_comes_back_and_what_gets_better_does_not(tmp_path: Path) -> None:
    present = [STUCK]
    async with engine(tmp_path) as server:
        notices = server.seen_notices
        notices.present = lambda: present
        await notices.see(STUCK.key, str)
        better, worse = Notice(Need.STUCK, "cpu", 60.0, 1), Notice(Need.STUCK, "cpu", 60.0, 3)
        assert notices.of(better) is not None
        assert notices.of(worse) is None
        present[:] = [worse]
        await notices.step()
        assert notices.of(STUCK) is None  # it is to be seen anew


def test_a_paused_pool_is_not_worse_because_more_waits_in_it() -> None:
    few, many = Notice(Need.PAUSED, "cpu", number=1), Notice(Need.PAUSED, "cpu", number=900)
    assert (few.key, few.weight) == (many.key, many.weight)


def test_two_tasks_that_are_stuck_are_two_matters() -> None:
    one, other = (Notice(Need.STUCK, "cpu", task=task) for task in ("a", "b"))
    assert one.key != other.key
