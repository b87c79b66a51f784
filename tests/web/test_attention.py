"""What needs attention: the notices above every page, and the story of a start."""

from typing import Any

import pytest
from msgspec.structs import replace

from app.domain.controls import Hold, ServerRun, StartReport
from app.domain.events import Frame, Window
from app.domain.health import PoolHealth
from app.web.contexts.frame import Notice, notices
from app.web.contexts.story import story

DAY = 24 * 3600 * 1_000_000


def pool(**changes: Any) -> PoolHealth:
    return replace(PoolHealth("cpu", "process", 2, "running", None, 0, 0, None, 0, ()), **changes)


def said(*pools: PoolHealth, state: str = "ready", holds: tuple[Hold, ...] = ()) -> list[Notice]:
    frame = Frame(1, 0, {}, Window(3600), 0.0, None, pools, ())
    return list(notices(frame, state, holds))


def test_nothing_is_said_where_all_is_well() -> None:
    assert said(pool(), pool(name="io", kind="thread")) == []


@pytest.mark.parametrize("state", ["starting", "draining"])
def test_a_server_that_is_not_ready_says_so(state: str) -> None:
    (notice,) = said(state=state)
    assert (notice.kind, notice.subject) == (state, "The server")


def test_a_broken_pool_is_noticed_with_the_first_line_of_its_reason() -> None:
    broken = pool(state="broken", reason="No module named 'torch'\n\nTraceback ...")
    (notice,) = said(pool(name="io"), broken)
    assert (notice.kind, notice.subject, notice.href) == ("broken", "cpu", "/pools#cpu")
    assert notice.text == "is broken: No module named 'torch'"


@pytest.mark.parametrize("state", ["paused", "draining", "stopped"])
def test_a_pool_that_hands_nothing_out_is_noticed(state: str) -> None:
    (notice,) = said(pool(state=state))
    assert (notice.kind, notice.subject) == (state, "cpu")
    assert state in notice.text


def test_each_line_that_a_pool_says_is_a_notice() -> None:
    found = said(pool(notice="2 abandoned threads in io-1\nstarvation: all 2 slots"))
    assert [(each.subject, each.text) for each in found] == [
        ("cpu", "2 abandoned threads in io-1"),
        ("cpu", "starvation: all 2 slots"),
    ]


def test_a_hold_is_said_once_and_leads_to_where_it_is_released() -> None:
    hold = Hold("acme.render", 0, 5, "5 workers died under acme.render")
    waiting = pool(notice="tasks of acme.render wait")
    (notice,) = said(waiting, holds=(hold,))
    assert (notice.kind, notice.href) == ("hold", "/functions/acme.render")
    assert "5 workers died" in notice.text


# The story of a start.


def run(**found: Any) -> ServerRun:
    report = StartReport(**{"was_clean": False, "down_seconds": 12.0} | found)
    return ServerRun("b", 1, DAY, report=report)


def test_a_start_after_a_crash_tells_what_it_found_and_where_that_is_listed() -> None:
    told = story(run(queued=1340, scheduled=1, rerun=2, lost=8, reaped=1), DAY)
    words = " ".join(sentence.text for sentence in told)
    assert words.startswith("The server was cut off and started again after 12 s. 1,340 queued")
    for part in ("1 scheduled task was", "2 tasks under way are", "8 tasks", "1 process left"):
        assert part in words
    assert [sentence.href for sentence in told if sentence.href] == [
        "/tasks?state=queued",
        "/tasks?state=scheduled",
        "/tasks?state=lost&error=interrupted",
    ]


def test_what_was_not_found_is_not_told() -> None:
    assert len(story(run(), DAY)) == 1


def test_a_clean_start_and_an_old_one_have_no_story() -> None:
    assert story(run(was_clean=True, queued=3), DAY) == ()
    assert story(run(lost=3), 2 * DAY + 1) == ()
    assert story(ServerRun("b", 1, DAY), DAY) == ()
