"""The timeline's page and data: what its address asks for, and what it answers."""

from typing import Any

import msgspec
import pytest
from starlette.datastructures import QueryParams

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.pools.health import PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.domain.tasks.timeline import (
    ABANDONED,
    Bar,
    Timeline,
    TimelineRequest,
    unstored,
)
from pooldeck_server.web.pages.timeline.bars_json import timeline_json
from pooldeck_server.web.pages.timeline.data import TimelineData
from pooldeck_server.web.pages.timeline.view import (
    TimelineQuery,
    TimelineView,
    read_address,
    read_request,
    timeline_view,
)
from tests.support.served import Served

NOW = 1_700_000_000_000_000
SECOND = 1_000_000
WANTED = TimelineRequest(NOW - 60 * SECOND, NOW)


def bar(**changes: Any) -> Bar:
    plain = Bar(
        task="0199",
        attempt=1,
        function="acme.render",
        pool="io",
        worker="io-1",
        thread=2,
        state="succeeded",
        error_kind=None,
        started_at=NOW - 3 * SECOND,
        finished_at=NOW - SECOND,
        recorded_at=NOW - SECOND,
        queued_seconds=0.5,
        cpu_seconds=1.0,
        overhead=None,
    )
    return msgspec.structs.replace(plain, **changes)


def pool(*slots: SlotHealth) -> PoolHealth:
    worker = WorkerHealth("io-1", 1, "busy", NOW, 0, slots)
    return PoolHealth("io", PoolKind.THREAD, len(slots), "running", None, 1, 0, None, 0, (worker,))


def test_an_address_says_the_same_after_it_was_read() -> None:
    asked = TimelineQuery(span=2.5, since=NOW + 12_345, pool="io", function="acme.render")
    assert read_address(QueryParams(asked.href.partition("?")[2])) == asked


def test_without_a_time_the_page_follows_the_present() -> None:
    asked = read_address(QueryParams("span=10"))
    assert asked.request(NOW) == TimelineRequest(NOW - 10 * SECOND, NOW)


def test_a_time_without_a_zone_is_utc() -> None:
    asked = read_address(QueryParams("from=2023-11-14T22:13:20"))
    assert asked.since == NOW


@pytest.mark.parametrize("query", ["from=yesterday", "span=wide", "span=0", "span=nan", "span=1e9"])
def test_an_address_that_cannot_be_meant_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest):
        read_address(QueryParams(query))


@pytest.mark.parametrize(
    "query",
    [
        "from=2023-11-14T22:13:20Z",
        "from=2023-11-14T22:13:20Z&to=2023-11-14T22:13:20Z",
        "from=2023-11-14T22:13:20Z&to=2024-11-14T22:13:20Z",
    ],
)
def test_a_stretch_of_no_or_too_much_time_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest):
        read_request(QueryParams(query))


def test_a_start_that_is_not_stored_yet_has_a_bar_and_a_stored_one_no_second() -> None:
    fresh = SlotHealth("fresh", "acme.render", 2.0)
    stored = SlotHealth("0199", "acme.render", 3.0)
    (found,) = unstored([bar(finished_at=None)], [pool(fresh, stored, SlotHealth())], WANTED, NOW)
    assert (found.task, found.worker, found.thread) == ("fresh", "io-1", 1)
    assert (found.started_at, found.finished_at) == (NOW - 2 * SECOND, None)


def test_a_filter_keeps_what_is_not_stored_yet_out_too() -> None:
    fresh = pool(SlotHealth("fresh", "acme.render", 2.0))
    narrowed = msgspec.structs.replace(WANTED, function="acme.other")
    assert list(unstored([], [fresh], narrowed, NOW)) == []


def test_an_abandoned_thread_goes_on_where_its_task_ended() -> None:
    given_up = bar(state="failed", error_kind="timeout")
    slot = SlotHealth("0199", "acme.render", 3.0, abandoned=True)
    (found,) = unstored([given_up], [pool(SlotHealth(), slot)], WANTED, NOW)
    assert (found.state, found.thread) == (ABANDONED, given_up.thread)
    assert (found.started_at, found.finished_at) == (given_up.finished_at, None)


def shown(asked: TimelineQuery, *bars: Bar, complete_from: int = WANTED.since) -> TimelineView:
    choices: dict[str, list[str]] = {"pool": [], "function": []}
    found = Timeline(bars, complete_from, len(bars))
    return timeline_view(asked, WANTED, found, [], choices=choices, now=NOW)


def test_the_legend_narrows_to_a_function_and_widens_again() -> None:
    (entry,) = shown(TimelineQuery(), bar(), bar(task="0200")).legend
    assert (entry.function, entry.count) == ("acme.render", "2")
    assert entry.href == "/timeline?span=60&function=acme.render"
    (chosen,) = shown(TimelineQuery(function="acme.render")).legend
    assert chosen.is_chosen
    assert chosen.href == "/timeline?span=60"


def test_the_table_names_the_longest_runs_first_what_runs_among_them() -> None:
    short = bar(task="short", started_at=NOW - 2 * SECOND)
    running = bar(task="running", started_at=NOW - 4 * SECOND, finished_at=None)
    found = shown(TimelineQuery(), short, bar(), running).longest
    assert [bar.task for bar, _look, _colour in found] == ["running", "0199", "short"]


def test_it_is_said_what_the_picture_leaves_out() -> None:
    assert shown(TimelineQuery(), bar()).limits == ""
    said = shown(TimelineQuery(), bar(), complete_from=NOW - SECOND).limits
    assert "Too many to draw: 1 or more ended" in said
    assert "22:13:19.000 UTC" in said


def test_the_data_names_each_slot_and_function_once() -> None:
    crashed = bar(task="0200", state="failed", error_kind="crashed", cpu_seconds=None)
    read = TimelineData(Timeline((bar(), crashed), WANTED.since, 2), [])
    data = timeline_json(read, [pool(SlotHealth(), SlotHealth())], WANTED, NOW)
    assert data["functions"] == ["acme.render"]
    assert data["looks"] == ["succeeded", "crashed"]
    slots = msgspec.json.decode(msgspec.json.encode(data["slots"]))
    assert slots == [["io", "io-1", 1], ["io", "io-1", 2]]
    assert data["present"] == [0, 1]
    past = timeline_json(read, [pool(SlotHealth())], WANTED, NOW + SECOND)
    assert past["present"] == []
    first, second = data["bars"]
    assert first[:7] == ["0199", 1, 1, 0, 0, 57 * SECOND, 59 * SECOND]
    assert first[8:10] == [SECOND // 2, SECOND]
    assert (second[4], second[9]) == (1, None)


def test_a_run_is_in_the_data_and_on_the_page_as_soon_as_its_end_is_told(server: Served) -> None:
    task = server.submit("add", 1, 2).json()
    asked = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}
    past = server.http.get("/timeline.json", params=asked).json()
    assert past["bars"] == []
    params = {"from": task["created_at"], "to": task["finished_at"]}
    found = server.http.get("/timeline.json", params=params).json()
    (row,) = [row for row in found["bars"] if row[0] == task["id"]]
    assert found["slots"][row[2]][1] == task["worker"]["id"]
    page = server.http.get("/timeline", params={"span": 10, "function": "web_functions.add"}).text
    assert f'href="/tasks/{task["id"]}"' in page
