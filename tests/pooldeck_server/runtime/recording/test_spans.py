"""Spans at the end of a server: what is left is sent, but nobody waits long for a collector."""

import socket
import threading
from contextlib import closing

import pytest

from pooldeck_server.runtime.recording.spans import open_spans
from pooldeck_server.settings import Settings, TracingSettings, is_installed

pytestmark = pytest.mark.skipif(not is_installed(), reason="the extra otel is not installed")


async def test_a_collector_that_hangs_does_not_hold_up_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as hanging:  # it accepts, and says nothing
        endpoint = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        settings = Settings(tracing=TracingSettings(endpoint=endpoint, ratio=1.0))
        async with open_spans(settings) as spans:
            assert spans is not None
            with spans.submission("jobs.add"):
                pass
        assert "the last spans were not sent" in caplog.text
        left = [each for each in threading.enumerate() if each.name == "close-spans"]
        assert all(each.daemon for each in left)
