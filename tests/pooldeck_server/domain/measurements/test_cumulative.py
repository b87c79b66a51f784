"""Histograms for scrapers."""

from math import inf

from pooldeck_server.domain.measurements.cumulative import (
    ANSWER_SECONDS,
    TASK_SECONDS,
    CumulativeHistogram,
)


def test_a_bucket_counts_all_that_took_at_most_its_bound() -> None:
    histogram = CumulativeHistogram((0.1, 1.0))

    for seconds in (0.05, 0.1, 0.2, 1.5):
        histogram.add(seconds)

    assert list(histogram.buckets()) == [(0.1, 2), (1.0, 3), (inf, 4)]
    assert histogram.total == 1.85


def test_bounds_rise_and_each_is_there_once() -> None:
    for bounds in (TASK_SECONDS, ANSWER_SECONDS):
        assert list(bounds) == sorted(set(bounds))
