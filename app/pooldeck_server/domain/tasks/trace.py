"""The trace that a task belongs to: what of it is kept with the task, beside its options.

It is the context of W3C Trace Context, of the span that stands for the submission.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from pooldeck.functions import RunOptions


class TraceContext(Struct, frozen=True):
    """A span elsewhere, as the headers `traceparent` and `tracestate` have it."""

    traceparent: str
    tracestate: str = ""

    @property
    def carrier(self) -> Mapping[str, str]:
        headers = {"traceparent": self.traceparent}
        return headers | {"tracestate": self.tracestate} if self.tracestate else headers


class _TracedOptions(RunOptions, frozen=True, omit_defaults=True):
    """Options of a task, with the trace of its submission; readers of the options skip that."""

    trace: TraceContext | None = None


class _Traced(Struct, frozen=True):
    trace: TraceContext | None = None


def traced_options(options: RunOptions, trace: TraceContext | None) -> str | None:
    """Return what a task keeps of how it is run, as JSON, with its trace if it has one."""
    if trace is None:
        return options.to_json()
    kept = _TracedOptions(**msgspec.structs.asdict(options), trace=trace)
    return msgspec.json.encode(kept).decode()


def trace_of(options: str | None) -> TraceContext | None:
    """Return the trace that a task keeps with its options."""
    return None if options is None else msgspec.json.decode(options, type=_Traced).trace
