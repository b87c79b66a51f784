"""The trace that a task keeps beside its options."""

from pooldeck.functions import RunOptions
from pooldeck_server.domain.tasks.trace import TraceContext, trace_of, traced_options

TRACE = TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=a")


def test_a_task_without_a_trace_keeps_what_it_kept_before_there_were_traces() -> None:
    for options in (RunOptions(), RunOptions(timeout=5, retries=1)):
        assert traced_options(options, None) == options.to_json()
        assert trace_of(options.to_json()) is None


def test_a_trace_is_kept_beside_the_options_and_changes_none_of_them() -> None:
    for options in (RunOptions(), RunOptions(timeout=5, retries=1)):
        kept = traced_options(options, TRACE)

        assert trace_of(kept) == TRACE
        assert RunOptions.from_json(kept) == options


def test_a_trace_has_the_headers_of_w3c_trace_context() -> None:
    assert TRACE.carrier == {"traceparent": TRACE.traceparent, "tracestate": "vendor=a"}
    assert TraceContext("x").carrier == {"traceparent": "x"}
