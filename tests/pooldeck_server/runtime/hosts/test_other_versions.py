"""Hosts that really run another Python, or another Pooldeck, are told why that is no good."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests import FUNCTIONS, ROOT
from tests.support.host_processes import (
    host_process,
    host_token,
    hosts_settings,
    place_of,
    pool_of,
    wait_for_workers,
)
from tests.support.programs import started
from tests.support.served import Served, served
from tests.support.waiting import eventually

_ASKED = "import sys; print(*sys.version_info[:2], sys.implementation.name)"
_NEEDED = ("msgspec", "psutil")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("data"), **hosts_settings()) as found:
        yield found


@pytest.fixture(scope="module")
def token(server: Served) -> str:
    return host_token(server.settings.socket)


@contextmanager
def other_host(
    folder: Path, python: Path | str, server: Served, token: str, **variables: str
) -> Iterator[Path]:
    """Run the host `other` by an interpreter of its own; give the path of its log."""
    told = {"POOLDECK_SERVER": place_of(server), "POOLDECK_TOKEN": token, **variables}
    log = folder / "other.log"
    command = [str(python), "-m", "pooldeck.hosts", "--pool", "big", "--name", "other"]
    command += ["--state", str(folder / "state"), "--path", str(FUNCTIONS)]
    with (
        log.open("wb") as file,
        started(command, env=_clean(os.environ) | told, stderr=file, cwd=folder) as process,
    ):
        yield log
        process.terminate()
        assert process.wait(30) == 0


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in environment.items()
        if "POOLDECK" not in key and "PYTHON" not in key and key != "VIRTUAL_ENV"
    }


def is_refused(server: Served, log: Path, words: str) -> None:
    """Return when the pool and the host's own log say why the host is none."""

    def is_told() -> bool:
        reasons = {each["name"]: each["reason"] for each in pool_of(server)["hosts"]}
        return words in (reasons.get("other") or "")

    eventually(is_told, f"the pool says {words!r}")
    eventually(lambda: f"other was refused: {words}" in log.read_text(), "the host says it")
    assert words in server.http.get("/pools").text


def others_go_on(server: Served) -> None:
    """Have a task run on the other host, and one at home."""
    for pool in ("big", "io"):
        assert server.submit("add", 1, 2, pool=pool).json()["result"] == 3


def test_a_host_with_another_pooldeck_is_told_what_both_have(
    server: Served, token: str, tmp_path: Path
) -> None:
    old = tmp_path / "installed" / "pooldeck-0.0.1.dist-info"
    old.mkdir(parents=True)
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: pooldeck\nVersion: 0.0.1\n")
    with (
        host_process(tmp_path, "host-a", place_of(server), token),
        other_host(
            tmp_path, sys.executable, server, token, PYTHONPATH=str(tmp_path / "installed")
        ) as log,
    ):
        wait_for_workers(server, 2)
        is_refused(server, log, "it has Pooldeck 0.0.1, and the server has ")
        others_go_on(server)


@pytest.mark.soak
def test_a_host_with_another_python_is_told_what_both_have(
    server: Served, token: str, tmp_path: Path
) -> None:
    python, minor = _other_python(tmp_path)
    with (
        host_process(tmp_path, "host-a", place_of(server), token),
        other_host(tmp_path, python, server, token) as log,
    ):
        wait_for_workers(server, 2)
        mine = "{}.{}".format(*sys.version_info)
        is_refused(server, log, f"it runs CPython {minor}, and the server CPython {mine}")
        others_go_on(server)


def _other_python(folder: Path) -> tuple[Path, str]:
    """Return an interpreter of another minor version that has this Pooldeck, and its version."""
    for candidate in _interpreters():
        said = subprocess.run(
            [candidate, "-c", _ASKED], capture_output=True, text=True, check=False, timeout=30
        )
        match said.stdout.split():
            case [major, minor, "cpython"] if (int(major), int(minor)) >= (3, 11):
                if (int(major), int(minor)) != sys.version_info[:2]:
                    return _installed(candidate, folder / "other"), f"{major}.{minor}"
    pytest.skip("there is no CPython here of another minor version that Pooldeck can run on")


def _interpreters() -> Iterator[str]:
    for minor in range(11, 20):
        if found := shutil.which(f"python3.{minor}"):
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(pyenv.glob("versions/3.*/bin/python")))


def _installed(python: str, folder: Path) -> Path:
    """Return the interpreter of an environment that has this Pooldeck, and what hosts need."""
    subprocess.run(
        [python, "-m", "venv", str(folder)], check=True, timeout=100, env=_clean(os.environ)
    )
    inner = folder / "bin" / "python"
    pip = [str(inner), "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
    if subprocess.run(
        [*pip, *_NEEDED], check=False, timeout=100, env=_clean(os.environ)
    ).returncode:
        pytest.skip(f"{', '.join(_NEEDED)} cannot be installed for {python}")
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "pooldeck.pth").write_text(f"{ROOT}\n")
    metadata = Path(str(distribution("pooldeck").locate_file("."))).glob("pooldeck-*.dist-info")
    for each in metadata:
        (packages / each.name).symlink_to(each)
    return inner
