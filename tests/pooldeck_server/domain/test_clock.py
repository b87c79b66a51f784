"""The one unit of moments: microseconds since the epoch, and what is told and taken in others."""

from datetime import UTC, datetime, timedelta, timezone

from pooldeck_server.domain.clock import HOUR, MINUTE, SECOND, ManualClock, micros, seconds, span


def test_a_moment_of_any_zone_is_exact_to_the_microsecond() -> None:
    moment = datetime(2026, 11, 30, 9, 15, 2, 250113, tzinfo=UTC)
    assert micros(moment) == 1_796_030_102_250_113
    assert micros(moment.astimezone(timezone(timedelta(hours=5.5)))) == micros(moment)


def test_durations_go_both_ways() -> None:
    assert (span(0.25), span(90), seconds(span(0.25))) == (250_000, 90 * SECOND, 0.25)
    assert (span(60), span(3600)) == (MINUTE, HOUR)


def test_a_clock_that_is_told_to_moves_both_hands() -> None:
    clock = ManualClock()
    before = clock.now(), clock.monotonic()
    clock.advance(1.5)
    assert (clock.now(), clock.monotonic()) == (before[0] + span(1.5), before[1] + 1.5)
