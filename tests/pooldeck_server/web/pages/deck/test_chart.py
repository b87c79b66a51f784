"""The chart of the deck: what can be chosen, and what it says of its lines and of what happened."""

import json
from typing import Any

import pytest

from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.history import Chart, ChartLine, ChartRequest
from pooldeck_server.web.pages.deck.chart import amount, chosen, shown_chart
from pooldeck_server.web.pages.shared.rendering import data_block
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.annotations import annotation_words
from pooldeck_server.web.text.colours import colour_of

MINUTE = 60_000_000
POOLS = ("io", "cpu")


def chart(*lines: ChartLine, **changes: Any) -> Chart:
    fields: dict[str, Any] = {"series": "throughput", "unit": "per s", "period": 900, "step": 10}
    at = tuple(range(1000, 1000 + 10 * len(lines[0].values), 10)) if lines else ()
    return Chart(**(fields | {"at": at, "lines": lines} | changes))


def test_an_address_chooses_series_period_grouping_and_filter() -> None:
    query = {"series": "run_p95", "period": "86400", "by": "function"}
    wanted = chosen(query, "cpu", "acme.render")
    assert wanted == ChartRequest("run_p95", 86400, "function", ("cpu",), ("acme.render",))


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"series": "nonsense", "period": "17", "by": "colour"},
        {"period": "-3600"},
        {"period": "½"},
    ],
)
def test_what_makes_no_sense_becomes_the_usual(query: dict[str, str]) -> None:
    assert chosen(query, None, None) == ChartRequest()


def test_a_series_of_pools_is_neither_grouped_nor_narrowed_by_function() -> None:
    wanted = chosen({"series": "memory", "by": "function"}, "cpu", "acme.render")
    assert wanted == ChartRequest("memory", by="none", pools=("cpu",))
    wanted.check()


def test_the_figures_of_a_line_leave_out_when_no_server_ran() -> None:
    line = ChartLine("all", (None, 2.0, 4.0, None, 12.0))
    (shown,) = shown_chart(chart(line), ChartRequest(), POOLS, MINUTE).lines
    assert (shown.latest, shown.lowest, shown.mean, shown.highest) == ("12/s", "2/s", "6/s", "12/s")


def test_a_line_of_nothing_has_dashes_for_figures() -> None:
    (shown,) = shown_chart(chart(ChartLine("all", (None,))), ChartRequest(), POOLS, MINUTE).lines
    assert {shown.latest, shown.lowest, shown.mean, shown.highest} == {formats.NOTHING}


def test_a_function_has_its_colour_and_pools_have_different_ones() -> None:
    lines = (ChartLine("acme.a", (1.0,)), ChartLine("others", (1.0,)))
    wanted = ChartRequest(by="function")
    shown = shown_chart(chart(*lines), wanted, POOLS, MINUTE).lines
    assert [each.colour for each in shown] == [f"fn-{colour_of('acme.a')}", "line-strong"]
    wanted = ChartRequest(by="pool")
    shown = shown_chart(
        chart(ChartLine("cpu", (1.0,)), ChartLine("io", (1.0,))), wanted, POOLS, MINUTE
    ).lines
    assert [each.colour for each in shown] == ["fn-1", "fn-0"]


def test_lines_of_one_colour_have_different_dashes() -> None:
    names = [f"acme.f{number}" for number in range(13)]  # one more than there are colours
    shown = shown_chart(
        chart(*(ChartLine(name, (1.0,)) for name in names)),
        ChartRequest(by="function"),
        POOLS,
        MINUTE,
    ).lines
    assert len({(each.colour, each.dash) for each in shown}) == 13


def test_states_look_as_everywhere() -> None:
    lines = [ChartLine(name, (1.0,)) for name in ("succeeded", "failed", "cancelled", "lost")]
    shown = shown_chart(chart(*lines), ChartRequest(by="state"), POOLS, MINUTE).lines
    assert [each.colour for each in shown] == ["ok", "failed", "line-strong", "lost"]


def test_what_happened_is_told_newest_first_and_the_rest_is_counted() -> None:
    marks = tuple(StoredAnnotation(number * MINUTE, "pause", "cpu") for number in range(20))
    context = shown_chart(chart(annotations=marks), ChartRequest(), POOLS, MINUTE)
    assert [each.at for each in context.happenings][:2] == [19 * MINUTE, 18 * MINUTE]
    assert len(context.happenings) + context.earlier == 20
    assert len(context.drawing["marks"]) == 20


def test_the_data_of_the_drawing_is_json_that_ends_no_element() -> None:
    crash = StoredAnnotation(
        MINUTE, "crash", "cpu", "cpu-1", {"incident": "i1", "cause": "</script><b>"}, None
    )
    context = shown_chart(
        chart(ChartLine("all", (1.23456,)), annotations=(crash,)), ChartRequest(), POOLS, MINUTE
    )
    text = data_block(context.drawing)
    assert "<" not in text
    data = json.loads(text)
    assert (data["start"], data["step"], data["lines"][0]["values"]) == (1000, 10, [1.235])
    assert data["marks"][0]["text"] == "cpu: cpu-1 </script><b>"
    assert data["marks"][0]["href"] == "/incidents/i1"


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (None, "s", formats.NOTHING),
        (0.25, "s", "250 ms"),
        (3 * 2**20, "bytes", "3.0 MiB"),
        (98.7, "percent", "99 %"),
        (0.5, "share", "50 %"),
        (1234.4, "per s", "1,234/s"),
        (0.123, "per s", "0.12/s"),
        (3.25, "tasks", "3.3"),
    ],
)
def test_values_are_worded_by_their_unit(value: float | None, unit: str, words: str) -> None:
    assert amount(value, unit) == words


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (
            StoredAnnotation(0, "start", data={"was_clean": True, "down_seconds": None}),
            "the server started",
        ),
        (
            StoredAnnotation(0, "start", data={"was_clean": False, "down_seconds": 4.0}),
            "the server started again, 4.0 s after it was cut off",
        ),
        (
            StoredAnnotation(0, "resize", "cpu", data={"before": 2, "after": 4}, reason="Monday"),
            "cpu: resized from 2 to 4 (Monday)",
        ),
        (StoredAnnotation(0, "drain", "cpu"), "cpu: drained"),
        (
            StoredAnnotation(
                0, "kill_task", "cpu", "t", {"function": "acme.f", "outcome": "killed"}
            ),
            "cpu: a task of f was killed by hand",
        ),
        (StoredAnnotation(0, "hold", None, "acme.f", {"deaths": 5}), "acme.f was put on hold"),
        (StoredAnnotation(0, "broken", "cpu", data={"said": "no torch"}), "cpu: broken: no torch"),
    ],
)
def test_annotations_are_told_in_words(annotation: StoredAnnotation, words: str) -> None:
    assert annotation_words(annotation) == words
