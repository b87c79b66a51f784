"""The log tells of refusals, and nobody can fill it with them."""

import logging

import pytest

from pooldeck_server.domain.errors import MalformedRequest
from pooldeck_server.web.http.protocol.refusals import RefusalLog


def test_the_first_is_told_at_once_and_a_flood_adds_no_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = RefusalLog()
    with caplog.at_level(logging.INFO):
        for _ in range(1000):
            log.note("192.0.2.1", MalformedRequest("this is no HTTP/1.1"))
    (record,) = caplog.records
    assert "192.0.2.1: this is no HTTP/1.1 (malformed_request)" in record.getMessage()
