"""The live stream."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from pooldeck_server.domain.frames import EndsWindow, Frame
from pooldeck_server.web.api.live import Encoder
from pooldeck_server.web.text.formats import second
from pooldeck_server.web.text.i18n import gettext
from pooldeck_server.web.text.notices import NoticeText
from tests.support.served import BOUND, Served, served


@contextmanager
def following(server: Served) -> Iterator[Iterator[dict[str, Any]]]:
    """Follow the stream: an iterator of the events' data."""
    with server.http.stream("GET", "/api/v1/events", timeout=BOUND) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"
        yield (
            json.loads(line.removeprefix("data: "))
            for line in response.iter_lines()
            if line.startswith("data: ")
        )


def test_a_stream_begins_with_the_picture_of_now(server: Served) -> None:
    with following(server) as events:
        first = next(events)
    assert set(first["counts"]) == {
        "scheduled",
        "queued",
        "running",
        "succeeded",
        "failed",
        "cancelled",
        "lost",
    }
    listed = server.http.get("/api/v1/pools").json()["items"]
    assert [pool["name"] for pool in first["pools"]] == [pool["name"] for pool in listed]
    assert first["pools"][0].keys() == listed[0].keys()
    assert first["at"].endswith("Z")


def test_a_change_is_told(server: Served) -> None:
    with following(server) as events:
        before = next(events)
        task = server.submit("echo", 1, wait=0).json()["id"]
        after = next(event for event in events if _has_ended(event, before))
        assert after["changed"] is None or task in after["changed"]
        assert after["seq"] > before["seq"]


def _has_ended(event: dict[str, Any], before: dict[str, Any]) -> bool:
    return bool(event["counts"]["succeeded"] > before["counts"]["succeeded"])


def test_streams_have_a_limit_of_their_own(tmp_path: Path) -> None:
    with served(tmp_path, limits={"streams": 1}) as server, following(server) as events:
        next(events)
        refused = server.http.get("/api/v1/events")
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
        assert int(refused.headers["retry-after"]) > 0
        assert server.http.get("/api/v1/pools").status_code == 200


def test_a_reader_that_goes_away_makes_room(tmp_path: Path) -> None:
    with served(tmp_path, limits={"streams": 1}) as server:
        for _ in range(3):
            for response in _asked(server):
                if response.status_code == 200:
                    break


def _asked(server: Served) -> Iterator[httpx.Response]:
    """Ask for the stream, at most a hundred times; the server notices departures by itself."""
    for _ in range(100):
        with server.http.stream("GET", "/api/v1/events", timeout=BOUND) as response:
            if response.status_code == 200:
                next(response.iter_raw())
            yield response
    raise AssertionError("the streams that were left still count")


def nothing_to_say(_: Frame) -> tuple[NoticeText, ...]:
    return ()


def test_a_frame_is_encoded_once_for_all() -> None:
    frame = Frame(
        seq=7,
        at=0,
        counts={},
        window=EndsWindow(3600),
        throughput=0.0,
        oldest_wait=None,
        pools=(),
        changed=("a",),
    )
    encoder = Encoder()
    event = encoder.encode(frame, nothing_to_say)
    assert event.startswith(b"event: deck\nid: 7\ndata: {")
    assert event.endswith(b"}\n\n")
    assert encoder.encode(frame, nothing_to_say) is event
    other = Frame(**{name: getattr(frame, name) for name in frame.__struct_fields__} | {"seq": 8})
    assert encoder.encode(other, nothing_to_say).startswith(b"event: deck\nid: 8\n")


@pytest.mark.parametrize("text", ["line\nbreak", "carriage\rreturn"])
def test_no_text_can_break_out_of_an_event(text: str) -> None:
    frame = Frame(0, 0, {}, EndsWindow(1), 0.0, None, (), (text,))
    notice = NoticeText("notice", text, text, "/pools")
    assert len(Encoder().encode(frame, lambda _: (notice,)).splitlines()) == 4


def test_a_frame_is_worded_once_for_each_language() -> None:
    frame = Frame(7, 0, {}, EndsWindow(1), 0.0, None, (), ())

    def attention(_: Frame) -> tuple[NoticeText, ...]:
        return (NoticeText("paused", gettext("paused"), "", "/pools"),)

    encoder = Encoder()
    english, chinese = (encoder.encode(frame, attention, name) for name in ("en", "zh-Hans"))
    assert b'"subject":"paused"' in english
    assert '"subject":"已暂停"'.encode() in chinese
    assert encoder.encode(frame, attention, "en") is english
    assert encoder.encode(frame, attention, "zh-Hans") is chinese


def test_a_language_that_there_is_not_is_refused(server: Served) -> None:
    answer = server.http.get("/api/v1/events", params={"lang": "tlh"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_the_incidents_of_a_day_are_told_and_outlive_the_server(tmp_path: Path) -> None:
    for _ in range(2):
        with served(tmp_path, hold_after=0) as server:
            before = first_event(server)["incidents"]
            server.submit("die", signal.SIGKILL)
            assert first_event(server)["incidents"] == before + 1
    assert before == 1


def first_event(server: Served) -> dict[str, Any]:
    """Return the picture that a stream begins with."""
    with following(server) as events:
        return next(events)


def test_times_in_a_frame_are_told_in_the_zone_of_its_reader() -> None:
    frame = Frame(7, 0, {}, EndsWindow(1), 0.0, None, (), ())

    def attention(_: Frame) -> tuple[NoticeText, ...]:
        return (NoticeText("notice", second(0), "", "/pools"),)

    encoder = Encoder()
    here, there = (encoder.encode(frame, attention, zone=name) for name in ("UTC", "Asia/Shanghai"))
    assert b'"subject":"00:00:00 UTC"' in here
    assert b'"subject":"08:00:00 UTC+8"' in there
