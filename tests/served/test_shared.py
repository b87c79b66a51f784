"""Shared state on a real server: from both kinds of pool, under contention, through deaths."""

import itertools
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests import FUNCTIONS
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually

_BOUND = 120.0
_CONFIG = """
functions = ["shared_functions"]

[pools.io]
kind = "thread"
size = 4

[pools.cpu]
kind = "process"
size = 2

[shared]
names = 50
"""
_HERE = {"PYTHONPATH": str(FUNCTIONS)}
BOTH = pytest.mark.parametrize("pool", ["cpu", "io"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("sharing")
    (folder / "pooldeck.toml").write_text(_CONFIG)
    with serving(folder, environment=_HERE) as server:
        server.wait_until_ready()
        yield server


def submit(server: Serving, function: str, *args: object, pool: str) -> str:
    body = {"function": f"shared_functions.{function}", "args": args, "pool": pool}
    answer = server.client.post("/api/v1/tasks", json=body)
    assert answer.status_code == 202, answer.text
    task_id: str = answer.json()["id"]
    return task_id


def ended(server: Serving, task_id: str) -> dict[str, Any]:
    task: dict[str, Any] = server.client.get(f"/api/v1/tasks/{task_id}?wait=60").json()
    assert task["finished_at"], task
    return task


def result(server: Serving, task_id: str) -> Any:
    task = ended(server, task_id)
    assert task["state"] == "succeeded", task["error"]
    return task["result"]


def until(server: Serving, task_id: str, message: str) -> None:
    """Return as soon as a task says something of its progress."""

    def is_said() -> bool:
        said = server.client.get(f"/api/v1/tasks/{task_id}").json()["progress"]
        return bool(said) and said["message"] == message

    eventually(is_said)


def shared(server: Serving) -> dict[str, Any]:
    found: dict[str, Any] = server.client.get("/api/v1/shared").json()
    return found


def item(server: Serving, kind: str, name: str) -> dict[str, Any]:
    for each in shared(server)["items"]:
        if (each["kind"], each["name"]) == (kind, name):
            found: dict[str, Any] = each
            return found
    raise AssertionError(f"there is no {kind} {name}")


@pytest.mark.parametrize("each", [1_000, pytest.param(12_500, marks=pytest.mark.soak)])
def test_no_increment_from_both_kinds_of_pool_is_lost(server: Serving, each: int) -> None:
    name = f"each adds {each}"
    tasks = [submit(server, "count", name, each, pool=pool) for pool in ("cpu", "io") * 4]
    for task in tasks:
        result(server, task)

    assert item(server, "counter", name)["value"] == 8 * each
    assert item(server, "dict", name)["size"] == 2
    assert item(server, "list", name)["size"] == 8


def test_a_lock_keeps_out_threads_and_processes_alike(server: Serving, tmp_path: Path) -> None:
    file = tmp_path / "number"
    file.write_text("0")

    pools = ["cpu", "cpu", "io", "io", "io"]
    tasks = [submit(server, "meet", str(file), 60, pool=pool) for pool in pools]
    rounds = sum(result(server, task) for task in tasks)

    assert int(file.read_text()) == rounds == 300


@BOTH
def test_the_lock_of_a_worker_that_is_killed_is_free(server: Serving, pool: str) -> None:
    name = f"of a worker of {pool}"
    holding = submit(server, "hold", name, pool=pool)
    until(server, holding, "holds it")
    other = "io" if pool == "cpu" else "cpu"
    taking = submit(server, "take", name, _BOUND, pool=other)
    eventually(lambda: bool(item(server, "lock", name)["waiters"]))
    (holder,) = item(server, "lock", name)["holders"]
    assert (holder["task"], holder["function"]) == (holding, "shared_functions.hold")

    os.kill(holder["pid"], signal.SIGKILL)

    assert result(server, taking) is True
    assert ended(server, holding)["state"] in {"failed", "lost"}
    assert item(server, "lock", name)["holders"] == []


@BOTH
def test_a_lock_is_not_left_behind_by_its_task(server: Serving, pool: str) -> None:
    name = f"left in {pool}"
    leaving = submit(server, "leave_locked", name, pool=pool)
    result(server, leaving)

    assert item(server, "lock", name)["holders"] == []
    (line,) = server.client.get(f"/api/v1/tasks/{leaving}/logs").json()["items"]
    assert line["level"] == "WARNING"
    assert f"without giving back Lock '{name}'" in line["message"]


def test_all_workers_together_keep_to_a_rate(server: Serving) -> None:
    tasks = [submit(server, "ask", 15, pool=pool) for pool in ("cpu", "cpu", "io", "io")]
    moments = sorted(itertools.chain.from_iterable(result(server, task) for task in tasks))

    assert len(moments) == 60
    seconds = moments[-1] - moments[0]
    assert 59 / 40 - 0.3 < seconds < 20


def test_the_key_is_out_of_sight(server: Serving) -> None:
    said = " ".join(result(server, submit(server, "spy", pool="cpu")))
    assert "pooldeck-" not in said  # nor the folder of the socket
    assert oct(next(_sockets()).stat().st_mode)[-3:] == "700"


def test_the_wrong_way_is_explained_beside_its_error(server: Serving) -> None:
    """It is none where the import and the tasks are on one thread."""
    task = submit(server, "use_what_was_opened_at_import", pool="io")
    error = ended(server, task)["error"]
    page = server.client.get(f"/tasks/{task}").text

    assert error["type"] == "sqlite3.ProgrammingError"
    assert "Each thread needs its own: @pooldeck.resource" in page
    assert result(server, submit(server, "use_what_was_opened_at_import", pool="cpu")) == 1


def _sockets() -> Iterator[Path]:
    return (each for each in Path(tempfile.gettempdir()).glob("pooldeck-*") if each.is_dir())


@BOTH
def test_when_the_process_dies_who_used_it_is_told_and_all_others_go_on(
    server: Serving, tmp_path: Path, pool: str
) -> None:
    using = submit(server, "use_around", str(tmp_path / "go"), pool=pool)
    until(server, using, "used it")
    before = shared(server)

    os.kill(before["pid"], signal.SIGKILL)
    eventually(lambda: shared(server)["pid"] not in {before["pid"], None})
    (tmp_path / "go").touch()

    error = ended(server, using)["error"]
    assert error["type"] == "pooldeck.shared.errors.SharedLostError"
    assert "values and locks are gone" in error["message"]
    after = shared(server)
    assert after["lost_at"] > before["since"]
    assert after["items"] == []
    for kind in ("cpu", "io"):
        assert result(server, submit(server, "where", pool=kind)) == after["pid"]
    noted = server.client.get("/api/v1/annotations").json()["items"]
    assert "shared_lost" in {each["kind"] for each in noted}
    assert "everything that was shared is lost" in server.client.get("/shared").text


def test_the_process_is_started_for_the_first_tasks_that_share_something(tmp_path: Path) -> None:
    (tmp_path / "pooldeck.toml").write_text(_CONFIG)
    with serving(tmp_path, environment=_HERE) as server:
        server.wait_until_ready()
        nothing = shared(server)
        assert nothing["is_available"]
        assert (nothing["pid"], nothing["items"]) == (None, [])
        assert "Process id" not in server.client.get("/shared").text
        assert not any("pooldeck.shared" in each for each in _programs(server))

        wheres = [submit(server, "where", pool=pool) for pool in ("io", "cpu", "io", "cpu")]
        assert {result(server, each) for each in wheres} == {shared(server)["pid"]}
        assert sum("pooldeck.shared.process" in each for each in _programs(server)) == 1


def _programs(server: Serving) -> list[str]:
    """Return the command lines of the processes that the server has started."""
    children = psutil.Process(server.process.pid).children(recursive=True)
    return [" ".join(each.cmdline()) for each in children]


def test_a_temporary_folder_with_a_long_path_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "pooldeck.toml").write_text(_CONFIG)
    long = tmp_path / ("x" * 100)
    long.mkdir()
    with serving(tmp_path, environment=_HERE | {"TMPDIR": str(long)}) as server:
        server.wait_until_ready()
        pid = result(server, submit(server, "where", pool="cpu"))
        assert shared(server)["pid"] == pid


def test_too_many_names_are_refused_with_a_word_on_what_to_do(server: Serving) -> None:
    tasks = [submit(server, "take", f"name {n}", 0, pool="io") for n in range(51)]
    errors = [error for task in tasks if (error := ended(server, task)["error"])]

    assert {error["type"].rpartition(".")[2] for error in errors} == {"SharedLimitError"}
    assert "which is shared.names. Delete some" in errors[0]["message"]


def test_a_server_that_is_killed_takes_the_state_with_it_and_the_next_one_tidies_up(
    tmp_path: Path,
) -> None:
    (tmp_path / "pooldeck.toml").write_text(_CONFIG)
    with serving(tmp_path, environment=_HERE) as server:
        server.wait_until_ready()
        before = set(_sockets())
        pid = result(server, submit(server, "where", pool="cpu"))
        server.process.kill()
        server.wait()
        eventually(lambda: not Path(f"/proc/{pid}").exists())
        left = before & set(_sockets())

    with serving(tmp_path, environment=_HERE) as server:
        server.wait_until_ready()
        assert shared(server)["items"] == []
        assert left - set(_sockets())
