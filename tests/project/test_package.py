"""What is delivered: the distributions hold all that runs, and install where there is nothing."""

import json
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.environments import Environment, run
from tests.support.serving import serving

pytestmark = pytest.mark.soak  # builds, installs and downloads

VENDORED = {"uPlot.iife.min.js", "uPlot.min.css", "uPlot.LICENSE.txt", "stamp.json"}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel and, by reference, what the server needs."""
    environment = Environment(tmp_path_factory.mktemp("empty") / "venv")
    environment.show_everything()
    environment.install(wheel)
    return environment


def beside_the_code(*folders: str) -> set[str]:
    """Return the files of the checkout's `folders` that belong into a wheel, relative to it."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_packages_and_the_folders_beside_them(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    server = {name.removeprefix("app/") for name in beside_the_code("app/pooldeck_server")}
    assert server | beside_the_code("pooldeck") <= names
    assert {
        f"pooldeck_server/{name}" for name in beside_the_code("templates", "static", "migrations")
    } <= names
    assert {"pooldeck_server/py.typed", "pooldeck/py.typed"} <= names


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "pooldeck_server",
        "pooldeck",
    }


def test_the_browser_code_comes_with_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {
            path.name for path in zipfile.Path(archive, "pooldeck_server/static/vendor/").iterdir()
        }
        licence = archive.read("pooldeck_server/static/vendor/uPlot.LICENSE.txt").decode()

    assert names == VENDORED
    assert "Leon Sorokin" in licence


def test_the_source_distribution_carries_the_browser_code_so_that_building_it_needs_no_npm(
    distributions: Path,
) -> None:
    [path] = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {f"static/vendor/{name}" for name in VENDORED} <= names


def test_the_installed_command_runs_far_from_the_checkout(
    installed: Environment, tmp_path: Path
) -> None:
    assert run(installed.programs / "pooldeck", "--version", folder=tmp_path).startswith(
        "pooldeck "
    )


def test_the_installed_server_finds_its_folders_inside_the_package(
    installed: Environment, tmp_path: Path
) -> None:
    program = (
        "from pooldeck_server.resources import resource;"
        "from pooldeck_server.web.http.assets import check_assets;"
        "check_assets();"
        "print(*(resource(name) for name in ('templates', 'static', 'migrations')), sep='\\n')"
    )

    folders = run(installed.programs / "python", "-c", program, folder=tmp_path).split()

    assert len(folders) == 3
    assert all(Path(folder).is_relative_to(installed.folder) for folder in folders)


def test_the_installed_server_serves_its_pages_and_their_browser_code(
    installed: Environment, tmp_path: Path
) -> None:
    with serving(tmp_path, command=[str(installed.programs / "pooldeck")]) as server:
        page = server.client.get("/", follow_redirects=True).text
        static = re.search(r"/static/[^/\"]*", page)
        assert static is not None
        script = server.client.get(f"{static[0]}/vendor/uPlot.iife.min.js")

    assert script.content == (ROOT / "static" / "vendor" / "uPlot.iife.min.js").read_bytes()


def test_the_lock_file_names_no_registry() -> None:
    lock = (ROOT / "package-lock.json").read_text()

    assert all(
        "integrity" in package for name, package in json.loads(lock)["packages"].items() if name
    )
    assert "resolved" not in lock
    assert "://" not in lock


def test_browser_code_is_never_committed() -> None:
    assert "static/vendor/" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not here")
def test_compose_refuses_to_start_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["docker-compose", "--file", str(ROOT / "docker-compose.yml"), "config"]
    monkeypatch.delenv("POOLDECK_TOKEN", raising=False)
    without = subprocess.run(command, capture_output=True, text=True, check=False)
    monkeypatch.setenv("POOLDECK_TOKEN", "0123456789abcdef")
    given = subprocess.run(command, capture_output=True, text=True, check=False)

    assert without.returncode != 0
    assert "POOLDECK_TOKEN" in without.stderr
    assert given.returncode == 0
    assert "127.0.0.1:8000" in given.stdout
