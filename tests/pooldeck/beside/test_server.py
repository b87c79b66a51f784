"""`pooldeck.Server`: a server for the time of a block."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from pooldeck import Server, ServerNotStarted
from pooldeck.beside.address import Address
from tests import ROOT
from tests.functions import beside_functions
from tests.support.beside import BOUND, MODULE, POOLS, result_of, run, shown
from tests.support.no_tls import NO_TLS, PATIENCE
from tests.support.programs import started
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("POOLDECK_TOKEN", "the token of another server")
        environment.setenv("POOLDECK_HOST", "nowhere.invalid")
        with Server([beside_functions], pools=POOLS) as running:
            yield running


def test_functions_of_the_program_run_on_it(server: Server) -> None:
    assert run(server, "add", 2, 3) == 5


@pytest.mark.usefixtures("server")
def test_functions_submit_themselves_to_it() -> None:
    assert beside_functions.add.submit(2, 3).result(BOUND) == 5


def test_its_pools_are_those_that_the_program_has_named(server: Server) -> None:
    items = httpx.get(
        f"{server.url}/api/v1/pools",
        headers=shown(server),
        trust_env=False,
        timeout=PATIENCE,
        verify=NO_TLS,
    ).json()["items"]
    assert [pool["name"] for pool in items] == ["cpu"]


def test_its_workers_are_where_the_program_is_and_import_from_there(server: Server) -> None:
    folder, path = run(server, "where")

    assert folder == str(Path.cwd())
    assert str(ROOT) in path.split(os.pathsep)


def test_what_is_set_for_other_servers_does_not_count_and_reaches_no_worker(
    server: Server,
) -> None:
    found = run(server, "variables")
    assert "POOLDECK_HOST" not in found
    assert "POOLDECK_BESIDE" not in found


def test_what_it_says_and_what_it_keeps_are_in_its_folder(server: Server) -> None:
    assert "Pooldeck is at" in (server.data / "server.log").read_text()
    assert (server.data / "pooldeck.sqlite3").is_file()
    for name in ("address.json", "settings.toml", "users.lock"):
        assert stat.S_IMODE((server.data / "beside" / name).stat().st_mode) == 0o600


def test_its_client_asks_for_everything_that_its_api_has(server: Server) -> None:
    with server.client() as client:
        assert client.submit(beside_functions.add, 2, 3).result(60) == 5
        client.request("POST", "/pools/cpu/restart")
        assert client.submit(beside_functions.add, 3, 4).result(60) == 7


def test_a_server_that_runs_is_not_started_again(server: Server) -> None:
    with pytest.raises(RuntimeError, match="runs already"):
        server.start()
    assert server.is_running


def test_it_and_its_temporary_folder_are_gone_with_the_block() -> None:
    with Server(MODULE, pools=POOLS) as server:
        pid, data = server.pid, server.data
        assert data.is_dir()

    assert not psutil.pid_exists(pid)
    assert not data.exists()
    assert not server.is_running
    with pytest.raises(RuntimeError, match="does not run"):
        _ = server.url


def test_a_given_folder_keeps_its_record_from_one_server_to_the_next(tmp_path: Path) -> None:
    for expected in (1, 2):
        with Server(MODULE, data=tmp_path / "kept", pools=POOLS) as server:
            run(server, "add", 1, 1)
            items = httpx.get(
                f"{server.url}/api/v1/tasks",
                headers=shown(server),
                trust_env=False,
                timeout=PATIENCE,
                verify=NO_TLS,
            ).json()["items"]
            assert len(items) == expected
        assert Address.read(tmp_path / "kept") is None


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"pools": {"cpu": {"kind": "procss"}}}, "pools.cpu.kind = 'procss'"),
        ({"grace": 3}, "grace: there is no such setting"),
        ({"functions": ["nothing_there"]}, "No module named 'nothing_there'"),
    ],
)
def test_a_start_that_fails_says_why_and_leaves_nothing(
    settings: dict[str, Any], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    server = Server(**{"pools": POOLS, **settings})

    with pytest.raises(ServerNotStarted, match=r"(?s)" + reason.replace(".", r"\.")):
        server.start()
    assert not server.is_running
    assert list(tmp_path.glob("pooldeck-beside-*")) == []


def test_a_module_that_cannot_be_loaded_fails_the_start_though_others_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_broken.py").write_text("raise ValueError('not today')")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ServerNotStarted, match=r"half_broken cannot be loaded: (?s:.*)not today"):
        Server([MODULE, "half_broken"], pools=POOLS).start()


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with Server(MODULE, data=tmp_path, pools=POOLS) as server:
        with pytest.raises(ServerNotStarted, match="another server"):
            Server(MODULE, data=tmp_path, pools=POOLS).start()
        assert run(server, "add", 2, 3) == 5


_SCRIPT = """
import sys
from pooldeck import Server, task

@task
def add(a: int, b: int) -> int:
    return a + b

@task
def hold(path: str) -> None:
    import os, time
    with open(path + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(path + ".new", path)
    time.sleep(1000)

if GUARD:
    with Server([add], pools={"cpu": {"kind": "process", "size": 1, "spare": 0}}) as server:
        print(server.url, server.token, server.pid, server.data, flush=True)
        sys.stdin.read()
"""


@contextmanager
def script(
    folder: Path, guard: str = '__name__ == "__main__"'
) -> "Iterator[subprocess.Popen[str]]":
    (folder / "report.py").write_text(textwrap.dedent(_SCRIPT).replace("GUARD", guard))
    pipe = subprocess.PIPE
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = {"stdin": pipe, "stdout": pipe, "stderr": pipe, "text": True}
    command = [sys.executable, "report.py"]
    with started(command, cwd=folder, env=environment, **pipes) as process:
        yield process


def is_gone(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def test_a_killed_program_leaves_no_server_no_worker_no_task_and_no_folder(tmp_path: Path) -> None:
    with script(tmp_path) as program:
        assert program.stdout is not None
        url, token, pid, data = program.stdout.readline().split()
        headers = {"Authorization": f"Bearer {token}"}
        assert result_of(url, "report.add", 2, 3, headers=headers) == 5
        file = tmp_path / "worker"
        body = {"function": "report.hold", "args": [str(file)]}
        httpx.post(
            f"{url}/api/v1/tasks",
            json=body,
            headers=headers,
            trust_env=False,
            timeout=PATIENCE,
            verify=NO_TLS,
        )
        eventually(file.exists, "the task runs")
        os.kill(program.pid, signal.SIGKILL)

        eventually(lambda: is_gone(int(pid)), "the server is gone")
        eventually(lambda: is_gone(int(file.read_text())), "the worker is gone")
        eventually(lambda: not Path(data).exists(), "the folder is gone")


def test_a_program_that_is_killed_while_the_server_starts_leaves_none(tmp_path: Path) -> None:
    with script(tmp_path) as program:
        children: list[psutil.Process] = []

        def has_begun() -> bool:
            children[:] = psutil.Process(program.pid).children()
            return bool(children)

        eventually(has_begun, "the server begins to start")
        os.kill(program.pid, signal.SIGKILL)
        eventually(lambda: all(is_gone(each.pid) for each in children), "it is gone")


_FORKING = """
import os, sys
from pooldeck import Server
if __name__ == "__main__":
    with Server() as server:
        child = os.fork()
        if child == 0:
            sys.exit(0)
        os.waitpid(child, 0)
        print(server.is_running, server.pid, flush=True)
        os._exit(0)
"""


def test_a_fork_ends_no_server_and_a_program_that_just_leaves_does(tmp_path: Path) -> None:
    (tmp_path / "report.py").write_text(_FORKING)
    completed = subprocess.run(
        [sys.executable, "report.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    is_running, pid = completed.stdout.split()

    assert is_running == "True"
    eventually(lambda: is_gone(int(pid)), "the server is gone")


def test_a_package_that_is_run_has_its_functions_served(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    program = _SCRIPT.replace("GUARD", '__name__ == "__main__"').replace(
        "sys.stdin.read()", "print(server.client().submit(add, 2, 3).result(60), flush=True)"
    )
    (tmp_path / "acme" / "__main__.py").write_text(program)
    completed = subprocess.run(
        [sys.executable, "-m", "acme"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert completed.stdout.splitlines()[1:] == ["5"], completed.stderr


def test_a_program_without_a_guard_is_told_to_have_one(tmp_path: Path) -> None:
    with script(tmp_path, guard="True") as program:
        _, said = program.communicate("", timeout=110)

    assert program.returncode != 0
    assert 'start it below if __name__ == "__main__":' in said
