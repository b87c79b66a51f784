"""What an installation is beside a user's project, without the server's libraries, and editable."""

import subprocess
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.environments import Environment, run
from tests.support.serving import serving

pytestmark = pytest.mark.soak  # builds, installs and downloads

JOBS = """
import importlib.machinery
import os
import secrets

import domain.main
import httpx
import pooldeck
import web.main

@pooldeck.task
def where():
    types = importlib.machinery.PathFinder.find_spec("types").origin
    found = [module.__file__ for module in (secrets, httpx, domain.main, web.main, pooldeck)]
    return [__file__, types, *found]
"""
LOUD = "import os; open(os.environ['WHO_IMPORTS'], 'a').write(f'{__name__} {os.getpid()}\\n')\n"
LIGHT = """
import importlib.util
import math
import sys

import pooldeck

def main():
    with pooldeck.ProcessPool(1) as pool:
        assert pool.submit(math.factorial, 5).result() == 120

if __name__ == "__main__":
    main()
forbidden = set(sys.argv[1:])
assert not forbidden & set(sys.modules), forbidden & set(sys.modules)
assert not [name for name in forbidden if importlib.util.find_spec(name)]
"""
LOADED = """
import sys
from pooldeck import task

@task
def loaded():
    return sorted({name.partition(".")[0] for name in sys.modules})
"""
WORKER = """
import socket
import sys

from pooldeck.pools.launcher import SubprocessLauncher
from pooldeck.protocol import (
    Call, Finished, FrameBuffer, Limits, Ready, Setup, Stop, frame, from_worker
)

pipe, theirs = socket.socketpair()
control, controls = socket.socketpair()
setup = Setup("w-1", "p", sys.argv[1], 1, ["jobs"], None, Limits())
worker = SubprocessLauncher().launch(setup, "boot", theirs, controls)
for message in (setup, Call("task-1", 1, "jobs.loaded", b"[]", b"{}")):
    pipe.sendall(frame(message))
theirs.close()
frames = FrameBuffer()
said = []
while not said or not isinstance(said[-1], Finished):
    said += map(from_worker, frames.feed(pipe.recv(1 << 18)))
assert any(isinstance(each, Ready) for each in said), said
print(said[-1].outcome.result.decode())
pipe.sendall(frame(Stop()))
assert worker.reap().code == 0
"""
WEB_AND_DATABASE = (
    *("fastapi", "starlette", "uvicorn", "pydantic", "pydantic_settings", "jinja2", "babel"),
    *("sqlalchemy", "alembic", "jsonschema_rs", "prometheus_client", "uvloop"),
)
EACH_FILE_HAS_ONE_NAME = """
import importlib
import pkgutil
import sys

import pooldeck
import pooldeck_server

for package in (pooldeck, pooldeck_server):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
for name in ("app", "app.pooldeck_server", "app.pooldeck_server.cli"):
    try:
        importlib.import_module(name)
    except ImportError as error:
        assert "import pooldeck_server" in str(error), error
    else:
        raise AssertionError(name)
named = {}
for name, module in sys.modules.items():
    if name.startswith(("pooldeck", "app")):
        named.setdefault(module.__file__, []).append(name)
assert len(named) > 200, len(named)
assert not [names for names in named.values() if len(names) > 1]
print(*sys.path, sep="\\n")
"""


def write_project(folder: Path) -> None:
    """Write the packages of a user's project, with the names that most of them have."""
    for name in ("app", "domain", "web"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()
        (folder / name / "main.py").write_text("app = 'the users own'\n")
    (folder / "app" / "jobs.py").write_text(JOBS)


def files_below(*folders: Path) -> dict[str, bytes]:
    """Return the content of each file of a project."""
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and "pooldeck-data" not in path.parts
    }


def test_a_server_beside_a_project_leaves_it_as_it_was_and_serves_its_functions(
    wheel: Path, tmp_path: Path
) -> None:
    environment = Environment(tmp_path / "venv")
    environment.show_everything()
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (environment.site_packages, project):
        folder.mkdir(exist_ok=True)
        write_project(folder)
    for folder in (project, elsewhere):
        (folder / "httpx").mkdir(parents=True)
        for path in ("secrets.py", "types.py", "httpx/__init__.py"):
            (folder / path).write_text(LOUD)
    (elsewhere / "pooldeck").mkdir()
    (elsewhere / "pooldeck" / "__init__.py").write_text("raise RuntimeError('not that one')\n")
    packages = [environment.site_packages / name for name in ("app", "domain", "web")]
    before = files_below(project, elsewhere, *packages)

    environment.install(wheel)
    with serving(
        project,
        "--functions",
        "app.jobs",
        command=[str(environment.programs / "pooldeck")],
        environment={
            "PYTHONPATH": f"{project}:{elsewhere}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "WHO_IMPORTS": str(tmp_path / "imports"),
        },
    ) as server:
        server.wait_until_ready()
        task = server.run("app.jobs.where")
        said = "".join(server.said)

    *theirs, ours = task["result"]
    names = ("app/jobs.py", "types.py", "secrets.py", "httpx/__init__.py", "domain/main.py")
    assert theirs == [str(project / name) for name in (*names, "web/main.py")]
    assert Path(ours).is_relative_to(environment.site_packages)
    assert files_below(project, elsewhere, *packages) == before
    imports = [line.split() for line in (tmp_path / "imports").read_text().splitlines()]
    assert {name for name, _ in imports} == {"secrets", "httpx"}
    assert str(task["worker"]["pid"]) in {pid for _, pid in imports}
    assert str(server.process.pid) not in {pid for _, pid in imports}
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def light(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with what `pip install pooldeck` brings, and nothing else."""
    environment = Environment(tmp_path_factory.mktemp("light") / "venv")
    environment.install(wheel)
    environment.show_needed_by("pooldeck")
    return environment


def test_the_library_works_where_web_and_database_libraries_are_not_installed(
    light: Environment, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(LIGHT)

    run(light.programs / "python", "program.py", *WEB_AND_DATABASE, folder=tmp_path)


@pytest.mark.parametrize("kind", ["process", "thread"])
def test_a_worker_runs_where_web_and_database_libraries_are_not_installed(
    light: Environment, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "jobs.py").write_text(LOADED)

    loaded = run(light.programs / "python", "-c", WORKER, kind, folder=tmp_path)

    assert "msgspec" in loaded
    assert not [name for name in WEB_AND_DATABASE if f'"{name}"' in loaded]


BESIDE = """
import pooldeck
if __name__ == "__main__":
    try:
        pooldeck.Server().start()
    except pooldeck.ServerNotStarted as error:
        print(error)
"""


def test_a_server_beside_a_program_says_in_one_line_what_to_install_for_it(
    light: Environment, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(BESIDE)

    said = run(light.programs / "python", "program.py", folder=tmp_path)

    assert said.endswith("pip install 'pooldeck[server]'\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serve"], "pip install 'pooldeck[server]'"),
        (["tune", "jobs.work"], "pip install 'pooldeck[cli]'"),
        ([], "pip install 'pooldeck[cli]' to talk to a server, or 'pooldeck[server]' to run one"),
    ],
)
@pytest.mark.parametrize("command", [["pooldeck"], ["python", "-m", "pooldeck"]])
def test_the_command_says_in_one_line_what_to_install_for_it(
    light: Environment, tmp_path: Path, command: list[str], arguments: list[str], words: str
) -> None:
    completed = subprocess.run(
        [light.programs / command[0], *command[1:], *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert completed.returncode == 1
    assert completed.stdout == ""
    assert completed.stderr.startswith("pooldeck: ")
    assert completed.stderr.endswith(f": {words}\n")
    assert completed.stderr.count("\n") == 1


def test_each_module_of_an_editable_install_has_one_name_although_app_is_in_its_reach(
    tmp_path: Path,
) -> None:
    environment = Environment(tmp_path / "venv")
    environment.show_everything()
    environment.install("--editable", ROOT)

    path = run(environment.programs / "python", "-c", EACH_FILE_HAS_ONE_NAME, folder=tmp_path)

    assert {str(ROOT), str(ROOT / "app")} <= set(path.splitlines())
