"""Each call takes as large a body as what it may say, and looks at no larger one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.served import Served, served

JSON = {"Content-Type": "application/json"}
KIB = 1024
SMALL = 64 * KIB
ARGUMENTS = 100 * KIB
IDS = 200 * 64  # bytes of as many ids as the server here takes

CALLS = {
    ("PATCH", "/api/v1/pools/cpu"): SMALL,
    ("POST", "/api/v1/pools/cpu/restart"): SMALL,
    ("POST", "/api/v1/pools/cpu/drain"): SMALL,
    ("POST", "/api/v1/pools/cpu/cancel-unschedulable"): SMALL,
    ("POST", "/api/v1/workers/cpu-1/kill"): SMALL,
    ("POST", "/api/v1/functions/web_functions.add/placement"): SMALL,
    ("POST", "/api/v1/tasks/none/cancel"): SMALL,
    ("POST", "/api/v1/pipelines/none/cancel"): SMALL,
    ("POST", "/api/v1/tasks/cancel"): SMALL + IDS,
    ("POST", "/api/v1/tasks/retry"): SMALL + IDS,
    ("POST", "/api/v1/tasks"): SMALL + ARGUMENTS,
    ("POST", "/api/v1/tasks/batch"): 1024 * KIB,
    ("POST", "/api/v1/pipelines"): 1024 * KIB,
    ("POST", "/api/v1/experiments"): 1024 * KIB,
}


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    limits = {"body_bytes": 1024 * KIB, "arguments_bytes": ARGUMENTS, "batch_tasks": 200}
    with served(tmp_path_factory.mktemp("bounded"), limits=limits) as running:
        yield running


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_a_body_larger_than_its_call_needs_is_refused(
    bounded: Served, call: tuple[str, str]
) -> None:
    def code(content: bytes | Iterator[bytes]) -> str:
        answer = bounded.http.request(*call, content=content, headers=JSON)
        return f"{answer.status_code} {answer.json()['code']}"

    most = CALLS[call]
    assert code(b"{".ljust(most + 1)) == "413 too_large"
    assert code(iter([b"{".ljust(most), b" "])) == "413 too_large"
    assert code(b"{".ljust(most)) == "400 malformed_json"


def test_many_tasks_and_large_ones_come_through(bounded: Served) -> None:
    tasks = [
        {"function": "web_functions.echo", "args": ["é" * 2000], "pool": "cpu", "tags": ["a,[{"]}
        for _ in range(200)
    ]
    answer = bounded.http.post("/api/v1/tasks/batch", json={"tasks": tasks})
    assert (answer.status_code, len(answer.json()["ids"])) == (202, 200)
    steps = {f"step {n}": {"function": "web_functions.echo", "args": ["x" * 90_000]} for n in "123"}
    assert bounded.http.post("/api/v1/pipelines", json={"tasks": steps}).status_code == 202


def test_forms_have_a_bound_and_no_files(bounded: Served, tmp_path: Path) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    page = "/functions/web_functions.add"

    def status(path: str, size: int) -> int:
        return bounded.http.post(path, content=b"x" * size, headers=form).status_code

    assert status("/pools/cpu/drain", SMALL + 1) == 413
    assert status(page, 3 * ARGUMENTS + SMALL + 1) == 413
    assert status(page, 3 * ARGUMENTS + SMALL) == 422
    (tmp_path / "file").write_bytes(b"x" * 300 * KIB)
    with (tmp_path / "file").open("rb") as file:
        assert bounded.http.post(page, files={"arg:a": file}).status_code == 422
