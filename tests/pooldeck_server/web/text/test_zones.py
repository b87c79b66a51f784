"""Times in the zone of whoever reads: told with its offset, and read as its clocks show them."""

from datetime import UTC, datetime

import pytest

from pooldeck_server.web.text import formats
from pooldeck_server.web.text.zones import (
    UnclearTimeError,
    is_zone,
    moment_of,
    offset_name,
    times_in,
    zone_name,
)

AT = 1_700_000_000_123_456  # 2023-11-14T22:13:20.123456Z


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("UTC", "2023-11-14 22:13:20.123 UTC"),
        ("Asia/Shanghai", "2023-11-15 06:13:20.123 UTC+8"),
        ("America/St_Johns", "2023-11-14 18:43:20.123 UTC-3:30"),
    ],
)
def test_a_moment_is_told_in_the_zone_and_names_its_offset(zone: str, words: str) -> None:
    with times_in(zone):
        assert formats.moment(AT) == words
        assert formats.clock(AT) == words.split()[1]
        assert formats.in_field(AT) == "T".join(words.split()[:2])[:19]
        assert zone_name() == zone
    assert formats.moment(AT) == "2023-11-14 22:13:20.123 UTC"


def test_what_machines_read_stays_in_utc() -> None:
    with times_in("Asia/Shanghai"):
        assert formats.iso(AT) == "2023-11-14T22:13:20.123456Z"


def test_the_offset_is_that_of_the_moment_and_not_of_today() -> None:
    summer = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp()) * 1_000_000
    winter = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
    with times_in("Europe/Berlin"):
        assert (offset_name(summer), offset_name(winter)) == ("UTC+2", "UTC+1")


@pytest.mark.parametrize("name", ["", "Mars/Phobos", "../../etc/passwd", "local", "posix/UTC"])
def test_what_is_no_zone_is_told_in_utc(name: str) -> None:
    assert not is_zone(name)
    with times_in(name):
        assert zone_name() == "UTC"


def test_a_typed_time_is_that_of_the_zone() -> None:
    typed = datetime(2026, 11, 30, 17, 0)  # noqa: DTZ001 - as it was typed
    assert moment_of(typed, "Asia/Shanghai") == datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def test_a_time_that_clocks_skip_is_said_to_not_exist() -> None:
    skipped = datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001 - as it was typed
    with pytest.raises(UnclearTimeError, match="2026-03-29T02:30 does not exist in Europe/Berlin"):
        moment_of(skipped, "Europe/Berlin")


def test_a_time_that_comes_twice_is_not_guessed() -> None:
    twice = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 - as it was typed
    with pytest.raises(UnclearTimeError, match="comes twice") as raised:
        moment_of(twice, "Europe/Berlin")
    assert "2026-10-25T02:30+02:00" in str(raised.value)
    assert "2026-10-25T02:30+01:00" in str(raised.value)
