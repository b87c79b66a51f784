"""`pooldeck init`: what it makes is served, submitted to and tested as it is."""

import os
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from pooldeck_server.cli import main
from tests import ROOT
from tests.support.serving import serving

FILES = {"pooldeck.toml", "jobs.py", "test_jobs.py", "pooldeck.service", ".gitignore", "README.md"}


def unit(path: Path) -> dict[str, dict[str, str]]:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names have capitals
    parser.read(path)
    return {name: dict(section) for name, section in parser.items()}


def test_a_project_is_served_and_its_functions_run_in_their_pools(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "shop")]) == 0

    with serving(tmp_path / "shop") as server:
        server.wait_until_ready()
        counted = server.run("jobs.count_primes", 100)
        found = server.run("jobs.look_up", "localhost")

    assert (counted["pool"], counted["result"]) == ("cpu", 25)
    assert (found["pool"], found["state"]) == ("io", "succeeded")


def test_a_projects_own_tests_pass(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path)]) == 0

    completed = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if "PYTEST" not in name},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert completed.returncode == 0, completed.stdout
    assert "3 passed" in completed.stdout


def test_files_that_are_there_are_named_and_nothing_is_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "jobs.py").write_text("mine")

    assert main(["init", str(tmp_path)]) == 1

    said = capfd.readouterr().err
    assert "has jobs.py already, and nothing was written" in said
    assert {path.name for path in tmp_path.iterdir()} == {"jobs.py"}
    assert (tmp_path / "jobs.py").read_text() == "mine"

    assert main(["init", str(tmp_path), "--force"]) == 0
    assert "count_primes" in (tmp_path / "jobs.py").read_text()


def test_it_is_said_what_was_made_and_what_to_do_next(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "a b"
    assert main(["init", str(folder)]) == 0

    said = capfd.readouterr().out
    assert {path.name for path in folder.iterdir()} == FILES
    assert all(name in said for name in FILES)
    assert f"cd '{folder}'" in said
    assert "pooldeck dev jobs.py" in said


@pytest.mark.parametrize("below", ["a file", "a file/deeper"])
def test_a_folder_that_cannot_be_is_said_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], below: str
) -> None:
    (tmp_path / "a file").touch()

    assert main(["init", str(tmp_path / below)]) == 1

    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith(f"pooldeck: {tmp_path / 'a file'}")


def test_the_unit_is_that_of_the_documents_with_the_paths_of_the_project(tmp_path: Path) -> None:
    folder = tmp_path / "50% $off"
    assert main(["init", str(folder)]) == 0

    made = unit(folder / "pooldeck.service")
    known = unit(ROOT / "docs" / "systemd" / "pooldeck.service")
    own = {"User", "WorkingDirectory", "ExecStart"}
    service = made["Service"]
    assert service["WorkingDirectory"] == str(folder).replace("%", "%%")
    assert service["ExecStart"].endswith("/pooldeck serve --data /var/lib/pooldeck")
    for section, settings in known.items():
        for name in settings.keys() - own:
            assert made[section][name] == settings[name]
        assert made[section].keys() == settings.keys()
