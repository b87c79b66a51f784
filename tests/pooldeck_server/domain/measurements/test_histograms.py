"""Histograms keep their promise, and a chart asks for nothing that is not kept."""

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.measurements.histograms import (
    ERROR,
    LONGEST,
    SHORTEST,
    bucket_of,
    from_text,
    joined,
    packed,
    percentile,
    to_text,
)
from pooldeck_server.domain.pools.history import (
    KEPT,
    STEPS,
    ChartRequest,
    Flow,
    PoolSample,
    groupings,
    merged_flows,
    merged_samples,
)

durations = st.floats(min_value=SHORTEST, max_value=LONGEST)
lists = st.lists(durations, min_size=1, max_size=200)


def histogram(values: list[float]) -> int:
    return packed(Counter(map(bucket_of, values)))


@given(lists, st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_as_near_as_promised(values: list[float], share: float) -> None:
    exact = sorted(values)[math.ceil(share * len(values)) - 1]
    found = percentile(histogram(values), share)
    assert found is not None
    assert abs(found - exact) <= ERROR * exact


@given(st.lists(lists, max_size=5))
def test_texts_that_commas_join_are_the_histogram_of_everything(parts: list[list[float]]) -> None:
    together = histogram([value for part in parts for value in part])
    texts = [to_text(histogram(part)) for part in parts]
    assert from_text(joined(texts)) == together
    assert from_text(to_text(together)) == together
    assert sum(map(histogram, parts)) == together


@pytest.mark.parametrize(
    ("seconds", "counts_as"), [(0.0, SHORTEST), (1e-9, SHORTEST), (1e9, LONGEST)]
)
def test_what_is_off_the_scale_counts_as_its_end(seconds: float, counts_as: float) -> None:
    found = percentile(histogram([seconds]), 0.5)
    assert found is not None
    assert found == pytest.approx(counts_as, rel=0.1)


def test_nothing_has_no_percentile_and_no_text() -> None:
    assert percentile(0, 0.5) is None
    assert to_text(0) == ""
    assert from_text("") == 0
    assert joined(["", ""]) == ""


def test_a_histogram_of_a_busy_stretch_is_a_short_text() -> None:
    values = [0.01 * 1.01 ** (number % 200) for number in range(100_000)]
    assert len(to_text(histogram(values))) < 120


@pytest.mark.parametrize("period", STEPS)
def test_each_point_of_a_chart_is_a_stretch_that_is_kept_for_its_period(period: int) -> None:
    step = ChartRequest(period=period).step
    assert KEPT[step] >= period + step
    assert period % step == 0
    assert period // step <= 400


def test_each_length_of_stretches_is_made_from_the_one_before_while_that_is_kept() -> None:
    for shorter, longer in pairwise(KEPT):
        assert longer % shorter == 0
        assert KEPT[shorter] > longer


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (ChartRequest(period=901), "period: 901"),
        (ChartRequest("cpu", by="function"), "cpu is not known by function"),
        (ChartRequest("run_p95", by="state"), "run_p95 is not known by state"),
        (ChartRequest("queued", functions=("jobs.add",)), "queued is known of pools only"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(request_: ChartRequest, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        request_.check()


def test_series_are_grouped_by_what_they_are_known_of() -> None:
    assert groupings("throughput") == ("none", "pool", "function", "state")
    assert groupings("wait_p95") == ("none", "pool", "function")
    assert groupings("utilization") == ("none", "pool")


def test_a_longer_stretch_has_the_sums_of_what_went_through() -> None:
    parts = [
        Flow(10, 120, "cpu", "f", 5, 3, 1, 0, 1, to_text(histogram([0.1])), ""),
        Flow(10, 130, "cpu", "f", 2, 1, 0, 1, 0, to_text(histogram([0.2])), ""),
    ]
    waits = to_text(histogram([0.1, 0.2]))
    assert merged_flows(parts, 120, 120) == Flow(120, 120, "cpu", "f", 7, 4, 1, 1, 1, waits, "")


def test_a_longer_stretch_has_the_means_of_gauges_and_the_highest_wait() -> None:
    parts = [
        PoolSample(10, 120, "cpu", 4.0, 1.0, 10.0, 0.5, 50.0, 100.0, 5.0, 1.0),
        PoolSample(10, 130, "cpu", 8.0, 3.0, 0.0, 2.5, 150.0, 300.0, 15.0, 2.0),
    ]
    mean = PoolSample(120, 120, "cpu", 6.0, 2.0, 5.0, 2.5, 100.0, 200.0, 10.0, 1.5)
    assert merged_samples(parts, 120, 120) == mean
