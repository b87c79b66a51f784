"""The command starts the server out of reach of user code, which its workers still find."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

from pooldeck_server.launcher import isolated_command

WHAT_IT_SEES = "import json, os, sys; print(json.dumps([sys.path, os.environ['PYTHONPATH']]))"
NAMES = ("secrets", "httpx", "msgspec", "pydantic", "app")


def run(
    command: Sequence[str], folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def shadow(folder: Path, *names: str) -> Path:
    """Make a folder of modules that nobody may import instead of those that they are called as."""
    folder.mkdir()
    for name in names:
        (folder / f"{name}.py").write_text("raise RuntimeError('user code in the server')\n")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of a user whose modules have the names of those that the server imports."""
    return shadow(tmp_path / "project", *NAMES)


@pytest.mark.parametrize("module", ["pooldeck", "pooldeck_server"])
def test_what_is_in_the_working_directory_does_not_shadow_what_the_server_imports(
    module: str, tmp_path: Path
) -> None:
    project = shadow(tmp_path / "project", "secrets", "httpx", "pydantic", "app")

    completed = run([sys.executable, "-m", module, "--version"], project)

    assert (completed.stdout, completed.stderr) == (f"pooldeck {version('pooldeck')}\n", "")


def test_not_even_modules_that_every_program_needs_and_a_pooldeck_of_another_kind_are_in_its_way(
    project: Path, tmp_path: Path
) -> None:
    elsewhere = shadow(tmp_path / "elsewhere", "types", "enum", "pooldeck", *NAMES)
    command = Path(sys.executable).with_name("pooldeck")

    completed = run([str(command), "--version"], project, PYTHONPATH=str(elsewhere))

    assert (completed.stdout, completed.stderr) == (f"pooldeck {version('pooldeck')}\n", "")


def test_the_servers_import_path_holds_neither_the_working_directory_nor_pythonpath(
    project: Path, tmp_path: Path
) -> None:
    elsewhere = str(shadow(tmp_path / "elsewhere", "types"))

    interpreter = isolated_command([])[: -len(["-m", "pooldeck_server"])]
    completed = run([*interpreter, "-c", WHAT_IT_SEES], project, PYTHONPATH=elsewhere)

    path, pythonpath = json.loads(completed.stdout)
    assert not {"", ".", str(project), elsewhere} & set(path)
    assert pythonpath == elsewhere, "the workers inherit it"


def test_an_interpreter_that_is_isolated_already_is_not_replaced(tmp_path: Path) -> None:
    program = "import sys, os; os.execv = None; from pooldeck_server.launcher import main; main()"

    completed = run([*isolated_command([])[:-2], "-c", program, "--version"], tmp_path)

    assert completed.stdout == f"pooldeck {version('pooldeck')}\n", completed.stderr


def test_arguments_reach_the_server_untouched() -> None:
    arguments = ["serve", "--data", "a folder", "--functions", "acme.jobs,*"]

    assert isolated_command(arguments)[-len(arguments) :] == arguments


def test_user_site_packages_are_left_out_only_where_that_was_asked_for(tmp_path: Path) -> None:
    program = "from pooldeck_server.launcher import isolated_command as c; print('-s' in c([]))"

    asked = run([sys.executable, "-c", program], tmp_path, PYTHONNOUSERSITE="1")
    not_asked = run([sys.executable, "-c", program], tmp_path, PYTHONNOUSERSITE="")

    assert (asked.stdout, not_asked.stdout) == ("True\n", "False\n")
