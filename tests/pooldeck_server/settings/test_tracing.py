"""When there are traces, and where they go."""

import pytest

from pooldeck.tracing import Tracing
from pooldeck_server.settings import TracingSettings, is_installed, wanted_tracing

ENDPOINT = "http://collector:4318"


def test_nobody_has_asked_for_traces_by_default() -> None:
    assert wanted_tracing(None, {}) is None
    assert wanted_tracing(None, {"OTEL_SERVICE_NAME": "x"}) is None


def test_the_settings_say_where_they_go() -> None:
    settings = TracingSettings(endpoint=ENDPOINT, service="deck")

    assert wanted_tracing(settings, {}) == Tracing(ENDPOINT, "deck")


@pytest.mark.skipif(not is_installed(), reason="the extra otel is not installed")
@pytest.mark.parametrize(
    "name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
)
def test_the_variables_of_opentelemetry_ask_for_them_as_well(name: str) -> None:
    assert wanted_tracing(None, {name: ENDPOINT}) == Tracing()
    assert wanted_tracing(None, {name: ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}) is None


def test_what_switches_opentelemetry_off_switches_off_what_the_settings_ask_for() -> None:
    assert wanted_tracing(TracingSettings(), {"OTEL_SDK_DISABLED": "true"}) is None
