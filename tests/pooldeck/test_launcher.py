"""The command starts the server out of reach of user code, which its workers still find."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

from pooldeck.launcher import MODULE, isolated_command

WHAT_IT_SEES = "import json, os, sys; print(json.dumps([sys.path, os.environ['PYTHONPATH']]))"


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


@pytest.fixture
def user_folder(tmp_path: Path) -> Path:
    """A folder of a user who calls a package `app`, as most do, and another on PYTHONPATH."""
    for place in ("project", "elsewhere"):
        package = tmp_path / place / "app"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise RuntimeError('user code in the server')\n")
        (package / "cli.py").write_text("")
    return tmp_path / "project"


COMMANDS = {
    "the command": [str(Path(sys.executable).with_name("pooldeck"))],
    "the module": [sys.executable, "-m", "pooldeck"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_users_package_app_does_not_shadow_the_servers(
    command: list[str], user_folder: Path
) -> None:
    completed = run(
        [*command, "--version"], user_folder, PYTHONPATH=str(user_folder.parent / "elsewhere")
    )

    assert (completed.stdout, completed.stderr) == (f"pooldeck {version('pooldeck')}\n", "")


def test_the_servers_import_path_holds_neither_the_working_directory_nor_pythonpath(
    user_folder: Path,
) -> None:
    elsewhere = str(user_folder.parent / "elsewhere")

    interpreter = isolated_command([])[: -len(["-m", MODULE])]
    completed = run([*interpreter, "-c", WHAT_IT_SEES], user_folder, PYTHONPATH=elsewhere)

    path, pythonpath = json.loads(completed.stdout)
    assert not {"", ".", str(user_folder), elsewhere} & set(path)
    assert pythonpath == elsewhere, "the workers inherit it"


def test_arguments_reach_the_server_untouched() -> None:
    arguments = ["serve", "--data", "a folder", "--functions", "acme.jobs,*"]

    assert isolated_command(arguments)[-len(arguments) :] == arguments


def test_user_site_packages_are_left_out_only_where_that_was_asked_for(tmp_path: Path) -> None:
    program = "from pooldeck.launcher import isolated_command as c; print('-s' in c([]))"

    asked = run([sys.executable, "-c", program], tmp_path, PYTHONNOUSERSITE="1")
    not_asked = run([sys.executable, "-c", program], tmp_path, PYTHONNOUSERSITE="")

    assert (asked.stdout, not_asked.stdout) == ("True\n", "False\n")
