"""What the log says of commits that take long."""

import pytest

from pooldeck_server.runtime.recording.lag import LagWatch


def test_a_database_that_lags_is_said_once_and_once_that_it_no_longer_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks = iter([None, 1.5, 2.5, 12.0, 5.1, None, None, 1.1])
    watch = LagWatch(lambda: next(looks))

    for _ in range(8):
        watch.look()

    first, end, again = [record.getMessage() for record in caplog.records]
    assert first.startswith("the database lags: a commit has taken more than 1.5 s so far")
    assert end == "the database lags no more; the longest commit took 12.0 s"
    assert again.startswith("the database lags: a commit has taken more than 1.1 s so far")
