"""Traces: what a collector gets of a task's way, from the client's span to the function's own."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final

import pytest

from tests.support.serving import Serving, serving
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("opentelemetry.exporter.otlp") is None
    if importlib.util.find_spec("opentelemetry")
    else True,
    reason="the extra otel is not installed",
)

TRACED = """
from opentelemetry import trace

from pooldeck import current_task, task

tracer = trace.get_tracer("traced")

def step():
    with tracer.start_as_current_span("own step"):
        return trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)

@task(pool="cpu")
def compute():
    return step()

@task(pool="io")
def fetch():
    return step()

@task(pool="io")
async def fetch_async():
    return step()

@task(pool="cpu", retries=1, backoff=0.01)
def flaky():
    if current_task().attempt == 1:
        raise ValueError("a secret")
    return step()

@task(pool="io")
def plain(secret):
    return secret
"""
TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
CLIENT: Final = "b7ad6b7169203331"
SAMPLED: Final = {"traceparent": f"00-{TRACE}-{CLIENT}-01", "tracestate": "vendor=a"}


@dataclass(eq=False)
class Span:
    """A span as a collector gets it."""

    name: str
    trace: str
    id: str
    parent: str
    links: list[str]  # ids of spans
    began: int
    ended: int
    is_error: bool
    state: str
    attributes: dict[str, Any]
    resource: dict[str, Any]


@dataclass(eq=False)
class Collector:
    """Takes spans over HTTP; `spans` are those that have come."""

    spans: list[Span] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def take(self, body: bytes) -> None:
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service  # noqa: PLC0415

        sent = service.ExportTraceServiceRequest.FromString(body)
        with self._lock:
            for resource in sent.resource_spans:
                of = values(resource.resource.attributes)
                for scope in resource.scope_spans:
                    self.spans += [span_of(each, of) for each in scope.spans]

    def of(self, task: str) -> list[Span]:
        return [each for each in list(self.spans) if each.attributes.get("pooldeck.task") == task]

    def find(self, name: str, **known: str) -> Span:
        """Wait for the one span of this name with these fields, and return it."""

        def found() -> list[Span]:
            return [
                each
                for each in list(self.spans)
                if each.name == name and all(getattr(each, k) == v for k, v in known.items())
            ]

        eventually(lambda: bool(found()), f"the span {name} arrives")
        [span] = found()
        return span


def values(attributes: Any) -> dict[str, Any]:
    found = ((each.key, each.value) for each in attributes)
    return {key: getattr(value, value.WhichOneof("value")) for key, value in found}


def span_of(sent: Any, resource: dict[str, Any]) -> Span:
    return Span(
        name=sent.name,
        trace=sent.trace_id.hex(),
        id=sent.span_id.hex(),
        parent=sent.parent_span_id.hex(),
        links=[each.span_id.hex() for each in sent.links],
        began=sent.start_time_unix_nano,
        ended=sent.end_time_unix_nano,
        is_error=sent.status.code == sent.status.STATUS_CODE_ERROR,
        state=sent.trace_state,
        attributes=values(sent.attributes),
        resource=resource,
    )


@pytest.fixture(scope="module")
def collector() -> Iterator[tuple[Collector, str]]:
    """Listen as a collector does; give what it has got, and its address."""
    collecting = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            collecting.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collecting, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def traced(
    tmp_path_factory: pytest.TempPathFactory, collector: tuple[Collector, str]
) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("traced")
    (folder / "traced.py").write_text(TRACED)
    (folder / "pooldeck.toml").write_text(
        'functions = ["traced"]\n'
        f'tracing = {{endpoint = "{collector[1]}"}}\n'
        "[pools]\n"
        'cpu = {kind = "process", size = 1, spare = 0}\n'
        'io = {kind = "thread", size = 2}\n'
    )
    with serving(folder) as server:
        server.wait_until_ready()
        yield server


def submit(server: Serving, function: str, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    """Submit a task with the headers of a trace, and return it when it has ended."""
    answer = server.client.post(
        "/api/v1/tasks",
        params={"wait": 60},
        json={"function": f"traced.{function}", **body},
        headers=headers,
    )
    assert answer.status_code == 200, answer.text
    task: dict[str, Any] = answer.json()
    return task


def headers_of(number: int, flags: str = "01") -> dict[str, str]:
    """Return the headers of a client's trace with this number."""
    return {"traceparent": f"00-{number:032x}-{CLIENT}-{flags}"}


def test_a_trace_leads_from_the_client_over_submission_wait_and_attempt_to_the_functions_own_spans(
    traced: Serving, collector: tuple[Collector, str]
) -> None:
    task = submit(traced, "compute", SAMPLED)

    submitted = collector[0].find("submit traced.compute")
    waited = collector[0].find("wait traced.compute")
    ran = collector[0].find("run traced.compute")
    own = collector[0].find("own step", trace=TRACE)
    assert {each.trace for each in (submitted, waited, ran)} == {TRACE} == {task["result"]}
    assert submitted.parent == CLIENT
    assert (waited.parent, ran.parent, own.parent) == (submitted.id, submitted.id, ran.id)
    assert submitted.began <= submitted.ended
    assert waited.began <= waited.ended == ran.began <= own.began <= own.ended
    assert ran.attributes["pooldeck.task"] == task["id"]
    assert ran.attributes["pooldeck.state"] == "succeeded"
    assert (
        ran.attributes["pooldeck.worker"] == task["worker"]["id"] == own.resource["pooldeck.worker"]
    )
    assert {each.state for each in (submitted, ran, own)} == {"vendor=a"}
    assert not ran.is_error
    assert {each.resource["service.name"] for each in (ran, own)} == {"pooldeck"}


@pytest.mark.parametrize(("function", "number"), [("fetch", 1), ("fetch_async", 2)])
def test_spans_of_a_function_in_a_thread_are_below_its_attempt_too(
    traced: Serving, collector: tuple[Collector, str], function: str, number: int
) -> None:
    task = submit(traced, function, headers_of(number))

    trace = f"{number:032x}"
    assert task["result"] == trace
    ran = collector[0].find(f"run traced.{function}", trace=trace)
    assert collector[0].find("own step", trace=trace).parent == ran.id


def test_a_second_attempt_is_a_trace_of_its_own_with_a_link_to_the_submission(
    traced: Serving, collector: tuple[Collector, str]
) -> None:
    task = submit(traced, "flaky", headers_of(3))

    submitted = collector[0].find("submit traced.flaky")
    first = collector[0].find("run traced.flaky", parent=submitted.id)
    second = collector[0].find("run traced.flaky", parent="")
    assert (first.is_error, first.attributes["error.type"]) == (True, "exception")
    assert first.attributes["pooldeck.attempt"] == 1
    assert second.attributes["pooldeck.attempt"] == 2
    assert second.trace == task["result"] != first.trace == submitted.trace
    assert second.links == [submitted.id]
    assert collector[0].find("own step", trace=second.trace).parent == second.id


def test_a_delayed_task_is_a_trace_of_its_own_with_a_link_to_the_submission(
    traced: Serving, collector: tuple[Collector, str]
) -> None:
    task = submit(traced, "plain", headers_of(4), args=["x"], delay=0.01)

    submitted = collector[0].find("submit traced.plain", trace=f"{4:032x}")
    eventually(lambda: bool(collector[0].of(task["id"])), "the attempt's span arrives")
    [ran] = collector[0].of(task["id"])
    assert ran.name == "run traced.plain"
    assert ran.trace != submitted.trace
    assert (ran.parent, ran.links) == ("", [submitted.id])


def test_a_batch_is_one_submission_of_all_its_tasks(
    traced: Serving, collector: tuple[Collector, str]
) -> None:
    tasks = [{"function": "traced.plain", "args": [n]} for n in range(2)]
    answer = traced.client.post("/api/v1/tasks/batch", json={"tasks": tasks}, headers=headers_of(5))

    submitted = collector[0].find("submit batch")
    for task in answer.json()["ids"]:
        eventually(lambda task=task: len(collector[0].of(task)) == 2, "both spans arrive")  # type: ignore[misc]
        assert {each.parent for each in collector[0].of(task)} == {submitted.id}


def test_what_the_client_does_not_sample_is_not_told_and_the_function_knows(
    traced: Serving, collector: tuple[Collector, str]
) -> None:
    task = submit(traced, "compute", headers_of(6, "00"))
    after = submit(traced, "compute", headers_of(7))

    collector[0].find("run traced.compute", trace=f"{7:032x}")
    assert task["result"] == f"{6:032x}"
    assert after["result"] == f"{7:032x}"
    assert not [each for each in collector[0].spans if each.trace == f"{6:032x}"]


@pytest.mark.parametrize("header", ["", "nonsense", f"00-{'0' * 32}-{CLIENT}-01"])
def test_without_a_trace_that_can_be_followed_a_submission_begins_one(
    traced: Serving, collector: tuple[Collector, str], header: str
) -> None:
    task = submit(traced, "plain", {"traceparent": header} if header else {}, args=[header])

    eventually(lambda: len(collector[0].of(task["id"])) == 2, "both spans arrive")
    _, ran = collector[0].of(task["id"])
    submitted = collector[0].find("submit traced.plain", id=ran.parent)
    assert submitted.parent == ""


def test_no_arguments_results_or_messages_leave_by_a_trace(
    traced: Serving, collector: tuple[Collector, str]
) -> None:
    task = submit(traced, "plain", headers_of(8), args=["a secret"])

    eventually(lambda: len(collector[0].of(task["id"])) == 2, "both spans arrive")
    assert "a secret" not in repr([vars(each) for each in collector[0].spans])


def test_without_a_collector_tasks_run_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "traced.py").write_text(TRACED)
    nobody = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_EXPORT_TIMEOUT": "100"}

    with serving(tmp_path, "--functions", "traced", environment=nobody) as server:
        server.wait_until_ready()
        task = submit(server, "compute", headers_of(9))
        began = time.monotonic()
        assert server.stop() == 0

    assert task["result"] == f"{9:032x}"
    assert time.monotonic() - began < 60


def test_what_the_settings_ask_for_and_is_not_installed_is_said_in_one_line(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules['opentelemetry.exporter'] = None\n"
        "from pooldeck_server.launcher import main\n"
        "sys.exit(main())\n"
    )
    completed = subprocess.run(
        [sys.executable, "-P", "-E", "-c", program, "serve", "--port", "0"],
        cwd=tmp_path,
        env=os.environ | {"POOLDECK_TRACING__ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert completed.returncode != 0
    assert "pip install 'pooldeck[otel]'" in completed.stderr
    assert "Traceback" not in completed.stderr
