"""Traces by OpenTelemetry: a submission, its waits and attempts, and what tasks make of spans.

    the client's span ── submit ─┬─ wait
                                 └─ run (attempt 1) ── the function's own spans, in its worker

What runs much later is a trace of its own, with a link to the submission: a task with a delay or
after others, and every further attempt.

The span of an attempt is told only when it has ended; its name is drawn as it is handed over, so
that the worker can put the function's spans below it. What a server had in hand when it died is not
told. Everything here belongs to the event loop; spans are sent by a thread of the exporter.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, Final

from msgspec import Struct

from pooldeck.tracing import Tracing, resource, sending
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.domain.tasks.changes import End
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.domain.tasks.trace import TraceContext, trace_of
from pooldeck_server.runtime.threads import in_thread
from pooldeck_server.settings import Settings, is_installed, wanted_tracing

_log = logging.getLogger(__name__)
_NANOSECONDS: Final = 1000  # of a microsecond
_CLOSE_SECONDS: Final = 3.0
_FAILED: Final = frozenset({State.FAILED, State.LOST})

_incoming: "ContextVar[Mapping[str, str] | None]" = ContextVar("incoming", default=None)
_submission: "ContextVar[TraceContext | None]" = ContextVar("submission", default=None)


def follow(headers: Mapping[str, str]) -> None:
    """Let what is submitted from here on belong to a caller's trace, if `headers` name one."""
    _incoming.set(headers)


def submission_trace() -> TraceContext | None:
    """Return the trace of the submission that is being made; None where nothing is traced."""
    return _submission.get()


class AttemptSpan(Struct, frozen=True):
    """The span of an attempt that has not ended.

    `parent` and `links` are OpenTelemetry's contexts of other spans.
    """

    trace_id: int
    span_id: int
    is_sampled: bool
    parent: Any = None
    links: tuple[Any, ...] = ()
    tracestate: str = ""

    @property
    def carrier(self) -> dict[str, str]:
        """Return it as headers, for the worker."""
        flags = int(self.is_sampled)
        headers = {"traceparent": f"00-{self.trace_id:032x}-{self.span_id:016x}-{flags:02x}"}
        return headers | {"tracestate": self.tracestate} if self.tracestate else headers


class Spans:
    """Makes the server's spans."""

    def __init__(self, tracing: Tracing, ratio: float | None) -> None:
        """Import OpenTelemetry, and begin to send.

        Args:
            tracing: Where to.
            ratio: Which share of the traces that begin here is kept; None: as its variables say.
        """
        from opentelemetry import trace  # noqa: PLC0415 - few want it, and it takes a while
        from opentelemetry.context import Context  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider, sampling  # noqa: PLC0415
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        class DrawnIds(RandomIdGenerator):
            """Gives ids that were drawn before, where there are any."""

            trace_id: int | None = None
            span_id: int | None = None

            def generate_trace_id(self) -> int:
                given, self.trace_id = self.trace_id, None
                return super().generate_trace_id() if given is None else given

            def generate_span_id(self) -> int:
                given, self.span_id = self.span_id, None
                return super().generate_span_id() if given is None else given

        self._api = trace
        self._context = Context
        self._propagator = TraceContextTextMapPropagator()
        self._ids = DrawnIds()
        chosen = None if ratio is None else sampling.ParentBasedTraceIdRatio(ratio)
        described = resource(tracing, {})
        self._processor = sending(tracing)
        # Who submits is sampled; what comes of it has been decided with that.
        submissions = TracerProvider(sampler=chosen, resource=described, shutdown_on_exit=False)
        attempts = TracerProvider(
            sampler=sampling.ALWAYS_ON,
            resource=described,
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        self._sampler = submissions.sampler
        self._sampled = sampling.Decision.RECORD_AND_SAMPLE
        submissions.add_span_processor(self._processor)
        attempts.add_span_processor(self._processor)
        self._submissions = submissions.get_tracer("pooldeck")
        self._attempts = attempts.get_tracer("pooldeck")

    def close(self) -> None:
        """Send what is left; it blocks for some seconds at most."""
        self._processor.shutdown()

    @contextmanager
    def submission(self, name: str) -> Iterator[None]:
        """Trace a submission while the body runs; what it stores keeps the trace."""
        parent = self._propagator.extract(_incoming.get() or {}, self._context())
        span = self._submissions.start_span(
            f"submit {name}", parent, kind=self._api.SpanKind.PRODUCER
        )
        headers: dict[str, str] = {}
        self._propagator.inject(headers, self._api.set_span_in_context(span, self._context()))
        token = _submission.set(TraceContext(**headers))
        try:
            yield
        except BaseException as error:
            span.set_status(self._api.StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            _submission.reset(token)
            span.end()

    def begin(self, task: QueuedTask, number: int) -> AttemptSpan:
        """Return the span of an attempt, which is told when it ends."""
        kept = trace_of(task.options)
        if kept is None:
            return self._of_its_own(task)
        carrier = self._propagator.extract(kept.carrier, self._context())
        submitted = self._api.get_current_span(carrier).get_span_context()
        is_sampled = submitted.trace_flags.sampled
        span_id = self._ids.generate_span_id()
        if number == 1 and task.run_at is None:
            trace_id = submitted.trace_id
            state = submitted.trace_state.to_header()
            return AttemptSpan(trace_id, span_id, is_sampled, submitted, (), state)
        trace_id = self._ids.generate_trace_id()
        return AttemptSpan(trace_id, span_id, is_sampled, None, (submitted,))

    def _of_its_own(self, task: QueuedTask) -> AttemptSpan:
        """Return one of a task that was submitted when nothing was traced."""
        trace_id = self._ids.generate_trace_id()
        decided = self._sampler.should_sample(None, trace_id, f"run {task.function}")
        is_sampled = decided.decision is self._sampled
        return AttemptSpan(trace_id, self._ids.generate_span_id(), is_sampled)

    def end(self, span: AttemptSpan, task: QueuedTask, end: End) -> None:
        """Tell of an attempt that has ended, and of its wait."""
        if not span.is_sampled:
            return
        parent = self._context()
        if span.parent is not None:
            remote = self._api.NonRecordingSpan(span.parent)
            parent = self._api.set_span_in_context(remote, parent)
        about = _attributes(task, end)
        began = end.started_at or end.finished_at
        if span.parent is not None:
            waited = self._attempts.start_span(
                f"wait {task.function}",
                parent,
                attributes=about,
                start_time=_NANOSECONDS * task.ready_at,
            )
            waited.end(_NANOSECONDS * max(began, task.ready_at))
        self._ids.trace_id, self._ids.span_id = span.trace_id, span.span_id
        ran = self._attempts.start_span(
            f"run {task.function}",
            parent,
            kind=self._api.SpanKind.CONSUMER,
            attributes=about | _outcome(end),
            links=[self._api.Link(each) for each in span.links],
            start_time=_NANOSECONDS * began,
        )
        self._ids.trace_id = self._ids.span_id = None
        if end.state in _FAILED:
            ran.set_status(self._api.StatusCode.ERROR, end.error_kind or str(end.state))
        ran.end(_NANOSECONDS * max(end.finished_at, began))


def _attributes(task: QueuedTask, end: End) -> dict[str, Any]:
    """Say which attempt of which task; arguments and results leave the server in no trace."""
    return {
        "pooldeck.task": task.id,
        "pooldeck.function": task.function,
        "pooldeck.pool": task.pool,
        "pooldeck.attempt": end.attempt,
    }


def _outcome(end: End) -> dict[str, Any]:
    known = {
        "pooldeck.state": str(end.state),
        "pooldeck.worker": end.worker,
        "pooldeck.wait_seconds": end.queued_seconds,
        "error.type": end.error_kind,
    }
    return {name: value for name, value in known.items() if value is not None}


@asynccontextmanager
async def open_spans(settings: Settings) -> AsyncIterator[Spans | None]:
    """Give the body what makes spans; None where nobody has asked for any.

    Raises:
        StartupError: If OpenTelemetry is asked for by the settings, and is not installed.
    """
    tracing = wanted_tracing(settings.tracing)
    if tracing is None:
        yield None
        return
    if not is_installed():
        raise StartupError(
            "[tracing] is set, but OpenTelemetry is not installed: "
            "pip install 'pooldeck[otel]', or take the table out"
        )
    ratio = settings.tracing.ratio if settings.tracing else None
    spans = await asyncio.to_thread(Spans, tracing, ratio)
    try:
        yield spans
    finally:
        await _close(spans)


async def _close(spans: Spans) -> None:
    """Send what is left, for a few seconds: a collector must not hold up the end of the server."""
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await in_thread(spans.close, "close-spans")
    except TimeoutError:
        _log.warning("the last spans were not sent: no answer within %g s", _CLOSE_SECONDS)
