"""A task may do to its process what it likes: the server and other pools do not notice."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import FUNCTIONS
from tests.functions import hostile_functions
from tests.support.forged import FRAMES, with_absurd_numbers
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually

CONFIG = """
functions = ["hostile_functions"]
grace_seconds = 0.5
hold_after = 0

[pools.cpu]
kind = "process"
size = 1
max_memory_mb = 2000

[pools.io]
kind = "thread"
size = 4

[pools.forging]
kind = "process"
size = 1

[pools.other]
kind = "process"
size = 1
spare = 0
"""
NEXT = 8  # tasks that have to succeed after each
SLOW = {"starts_a_thousand_threads", "traces_all"}  # the latter shows after `start_seconds`
IN_THREADS = {  # of which a thread pool has something to fear that a process pool has not
    "closes_everything",
    "destroys_builtins",
    "is_nobody",
    "refuses_all",
    "replaces_threads",
    "sends_rubbish",
    "shuts_the_pipe",
}
PAGES = ("/", "/timeline", "/tasks", "/pools", "/functions", "/incidents", "/errors", "/metrics")
CALLS = ("/api/v1/pools", "/api/v1/tasks", "/api/v1/functions", "/api/v1/incidents")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "pooldeck.toml").write_text(CONFIG)
    environment = {"PYTHONPATH": os.pathsep.join([str(FUNCTIONS), str(FUNCTIONS.parents[1])])}
    with serving(folder, environment=environment) as served:
        served.wait_until_ready()
        yield served


def submit(server: Serving, function: str, pool: str, *args: Any, wait: int = 30) -> dict[str, Any]:
    answer = server.client.post(
        "/api/v1/tasks",
        params={"wait": wait},
        json={"function": function, "args": args, "pool": pool, "timeout": 20},
    )
    assert answer.status_code in {200, 202}, answer.text
    task: dict[str, Any] = answer.json()
    return task


def states_of_the_next(server: Serving, pool: str) -> set[str]:
    """Run some good tasks in a pool; return the states that they end in."""
    task = {"function": "hostile_functions.add", "args": [1, 1], "pool": pool}
    answer = server.client.post("/api/v1/tasks/batch", json={"tasks": [task] * NEXT})
    assert answer.status_code == 202, answer.text
    ended = [
        server.client.get(f"/api/v1/tasks/{task_id}", params={"wait": 30}).json()
        for task_id in answer.json()["ids"]
    ]
    return {each["state"] for each in ended}


def places() -> Iterator[Any]:
    """Yield each act with each pool; what takes long, or shows little new, is left to the soak."""
    for act in hostile_functions.ACTS:
        for pool in ("cpu", "io"):
            is_usual = act not in SLOW and (pool == "cpu" or act in IN_THREADS)
            yield pytest.param(act, pool, marks=() if is_usual else pytest.mark.soak)


@pytest.mark.parametrize(("act", "pool"), [*places()])
def test_what_a_task_does_to_its_process_costs_no_other_pool_and_the_next_tasks_succeed(
    server: Serving, act: str, pool: str
) -> None:
    process = server.process.pid
    task = submit(server, f"hostile.{act}", pool)
    assert task["state"] in {"succeeded", "failed", "lost", "cancelled"}
    eventually(lambda: states_of_the_next(server, pool) == {"succeeded"}, f"{pool} runs tasks")
    assert states_of_the_next(server, "other") == {"succeeded"}
    assert server.client.get("/readyz").status_code == 200
    assert server.process.poll() is None
    assert server.process.pid == process
    for page in (f"/tasks/{task['id']}", f"/api/v1/tasks/{task['id']}/logs", "/"):
        assert server.client.get(page).status_code == 200


def test_a_task_that_replaces_its_workers_time_has_its_page_and_its_log(server: Serving) -> None:
    task = submit(server, "hostile.replaces_the_workers_time", "cpu")
    lines = server.client.get(f"/api/v1/tasks/{task['id']}/logs").json()["items"]
    assert [line["message"] for line in lines] == ["what is said in the far future"]
    assert task["created_at"] <= lines[0]["at"] <= datetime.now(UTC).isoformat()


def look_everywhere(server: Serving) -> None:
    """Ask for all that is made of what workers report."""
    for path in (*PAGES, *CALLS):
        answer = server.client.get(path)
        assert answer.status_code == 200, (path, answer.text)
    assert server.process.poll() is None


def forge(server: Serving, body: bytes) -> None:
    task = submit(server, "hostile_functions.forge", "forging", body.hex())
    for path in (f"/tasks/{task['id']}", f"/api/v1/tasks/{task['id']}/logs"):
        answer = server.client.get(path)
        assert answer.status_code == 200, (path, answer.text)


ANY_PART = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text()
    | st.binary(max_size=50)
    | st.just(hostile_functions.OWN),
    lambda part: (
        st.lists(part, max_size=5) | st.dictionaries(st.text(max_size=9), part, max_size=3)
    ),
    max_leaves=12,
)
TAGS = st.sampled_from([msgspec.to_builtins(each)[0] for each in FRAMES])
FORGED = (
    st.sampled_from([body for _, body in with_absurd_numbers()])
    | st.tuples(TAGS, st.lists(ANY_PART, max_size=6)).map(
        lambda frame: msgspec.msgpack.encode([frame[0], *frame[1]])
    )
    | st.sampled_from([msgspec.msgpack.encode(each) for each in FRAMES])
)
SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_no_frame_that_a_task_sends_in_its_workers_name_breaks_a_page(
    server: Serving, frame: Any
) -> None:
    forge(server, msgspec.msgpack.encode(frame))
    absurd = [body for sample, body in with_absurd_numbers() if sample is frame]
    for body in absurd[:: max(1, len(absurd) // 3)]:
        forge(server, body)
    look_everywhere(server)
    eventually(
        lambda: states_of_the_next(server, "forging") == {"succeeded"}, "the pool runs tasks"
    )


@pytest.mark.parametrize("result", [b"", b"nul", b"[1", b"1 2", b'"\xff"'])
def test_a_forged_result_that_is_no_json_is_a_failure(server: Serving, result: bytes) -> None:
    body = msgspec.msgpack.encode(["finished", hostile_functions.OWN, {"result": result}])
    task = submit(server, "hostile_functions.forge", "forging", body.hex())
    assert (task["state"], task["error"]["kind"]) == ("failed", "bad_result")
    assert server.client.get(f"/tasks/{task['id']}").status_code == 200


@pytest.mark.soak
@pytest.mark.timeout(600)
@settings(max_examples=60, deadline=None, suppress_health_check=SHARED)
@given(body=FORGED)
def test_no_forged_frame_breaks_a_page(server: Serving, body: bytes) -> None:
    forge(server, body)
    look_everywhere(server)
