"""Traces in a worker: what a task makes of spans belongs to its attempt."""

from collections.abc import Mapping

from pooldeck.protocol import Setup
from pooldeck.tracing import resource, sending


def install(setup: Setup) -> None:
    """Let spans that tasks make be sent, unless the user's code has provided for that already."""
    if setup.tracing is None:
        return
    try:
        from opentelemetry import trace  # noqa: PLC0415 - few have it, and it takes a while
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

        if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            return
        own = {"pooldeck.pool": setup.pool, "pooldeck.worker": setup.worker}
        provider = TracerProvider(resource=resource(setup.tracing, own))
        provider.add_span_processor(sending(setup.tracing))
    except ImportError:  # the server has said so
        return
    trace.set_tracer_provider(provider)


def enter(carrier: Mapping[str, str]) -> None:
    """Make the span of an attempt the current one, for the rest of this context.

    Args:
        carrier: The headers `traceparent` and `tracestate` of W3C Trace Context.
    """
    try:
        from opentelemetry.context import Context, attach  # noqa: PLC0415 - as above
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )
    except ImportError:
        return
    attach(TraceContextTextMapPropagator().extract(carrier, Context()))
