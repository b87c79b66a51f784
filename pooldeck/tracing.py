"""OpenTelemetry, where its extra is installed and tracing is on: where spans go, and in whose name.

The server sends spans of submissions, waits and attempts; a worker those that tasks make. Nothing
of OpenTelemetry is imported before it is known to be wanted: see `pooldeck[otel]`.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor

_DELAY: Final = "OTEL_BSP_SCHEDULE_DELAY"
_QUEUE: Final = "OTEL_BSP_MAX_QUEUE_SIZE"
_NAMES: Final = ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES")
_SECONDS: Final = 0.5  # that spans gather before they are sent: a worker that dies takes them along
_MOST_WAITING: Final = 16_384  # spans; further ones are dropped
_SERVICE: Final = "pooldeck"


class Tracing(Struct, frozen=True, array_like=True):
    """Where spans go: what is None is as OpenTelemetry's own variables say."""

    endpoint: str | None = None  # of a collector: OTLP over HTTP is at `/v1/traces` below it
    service: str | None = None  # the name of the service


def resource(tracing: Tracing, attributes: Mapping[str, str]) -> "Resource":
    """Return what all spans of this process say of it."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - see above

    named: dict[str, Any] = dict(attributes)
    if tracing.service is not None:
        named["service.name"] = tracing.service
    elif not any(os.environ.get(name) for name in _NAMES):
        named["service.name"] = _SERVICE
    return Resource.create(named)


def sending(tracing: Tracing) -> "SpanProcessor":
    """Return what sends spans, on a thread of its own, some at a time; raises `ImportError`."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - see above
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - see above

    endpoint = tracing.endpoint and f"{tracing.endpoint.rstrip('/')}/v1/traces"
    return BatchSpanProcessor(
        OTLPSpanExporter(endpoint=endpoint),
        schedule_delay_millis=None if _DELAY in os.environ else 1000 * _SECONDS,
        max_queue_size=None if _QUEUE in os.environ else _MOST_WAITING,
    )
