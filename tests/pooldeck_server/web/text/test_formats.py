"""Numbers, sizes and times as people read them."""

import pytest

from pooldeck_server.web.text import formats


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "\N{EN DASH}"),
        (0, "0 s"),
        (0.0004, "under 1 ms"),
        (0.34, "340 ms"),
        (0.9999, "999 ms"),
        (2.16, "2.1 s"),
        (14.9, "14 s"),
        (60, "1 min 0 s"),
        (3725, "1 h 2 min"),
        (93_600, "1 d 2 h"),
        (-1, "0 s"),
    ],
)
def test_durations_take_at_most_two_units(seconds: float | None, words: str) -> None:
    assert formats.duration(seconds) == words


@pytest.mark.parametrize(
    ("before", "words"),
    [(0, "just now"), (3, "3 s ago"), (200, "3 min ago"), (7300, "2 h ago")],
)
def test_moments_are_told_from_now(before: int, words: str) -> None:
    now = 1_700_000_000_000_000
    assert formats.ago(now - before * 1_000_000, now) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (90, "in 1 min 30 s"),
        (59.7, "in 1 min"),
        (3599.6, "in 1 h"),
        (2 * 86_400 + 23 * 3600 + 58 * 60, "in 3 d"),
        (2 * 86_400 + 22 * 3600 + 40 * 60, "in 2 d 23 h"),
        (86_399, "in 1 d"),
        (7140, "in 1 h 59 min"),
    ],
)
def test_what_is_to_come_is_not_rounded_down(seconds: float, words: str) -> None:
    now = 1_700_000_000_000_000
    assert formats.ago(now + int(seconds * 1_000_000), now) == words


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (None, "\N{EN DASH}"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (220_200_960, "210 MiB"),
    ],
)
def test_sizes_take_the_largest_unit_that_fits(octets: int | None, words: str) -> None:
    assert formats.size(octets) == words


def test_exact_times_are_utc_to_the_millisecond() -> None:
    at = 1_700_000_000_123_456
    assert formats.moment(at) == "2023-11-14 22:13:20.123 UTC"
    assert formats.clock(at) == "22:13:20.123"
    assert formats.iso(at) == "2023-11-14T22:13:20.123456Z"


def test_a_call_is_summed_up_on_one_line() -> None:
    assert formats.call_summary('[1,"a"]', '{"width":3}') == '1, "a", width=3'
    assert formats.call_summary(f'["{"x" * 500}"]', "{}", limit=20) == '"' + "x" * 18 + "…"
    assert formats.call_summary(None, "{}") == "too large to show here"
