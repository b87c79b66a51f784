"""Which modules workers load for what a program names."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from pooldeck import task
from pooldeck.beside.modules import modules_of
from tests import ROOT
from tests.functions import beside_functions
from tests.support.beside import MODULE


def said(folder: Path, name: str, source: str, *command: str) -> Any:
    """Run a program and return what it says, as JSON."""
    (folder / name).write_text(
        "import json\nfrom pooldeck import task\n"
        "from pooldeck.beside.modules import import_path, modules_of\n" + textwrap.dedent(source)
    )
    completed = subprocess.run(
        [sys.executable, *(command or (name,))],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout)


def test_modules_names_and_functions_stand_for_modules_each_once() -> None:
    named = [beside_functions, MODULE, beside_functions.add, "acme.jobs"]

    assert modules_of(named) == (MODULE, "acme.jobs")
    assert modules_of(beside_functions.add) == (MODULE,)
    assert modules_of("acme.jobs") == ("acme.jobs",)


def test_what_is_no_registered_function_is_refused_by_its_name() -> None:
    with pytest.raises(TypeError, match="unmarked is neither a module"):
        modules_of([beside_functions.unmarked])


def test_a_function_that_another_has_made_is_refused() -> None:
    @task
    def inner() -> None: ...

    with pytest.raises(ValueError, match="inner is made by another function"):
        modules_of([inner])


_MAIN = """
@task
def add(): ...
print(json.dumps(modules_of([add])))
"""


def test_a_script_is_loaded_by_its_file(tmp_path: Path) -> None:
    assert said(tmp_path, "my_script.py", _MAIN) == ["my_script"]


def test_a_module_that_is_run_is_loaded_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    assert said(tmp_path, "acme/report.py", _MAIN, "-m", "acme.report") == ["acme.report"]


def test_a_program_without_a_file_to_import_is_refused_in_one_line(tmp_path: Path) -> None:
    source = """
    @task
    def add(): ...
    try:
        modules_of([add])
    except ValueError as error:
        print(json.dumps(str(error)))
    """
    assert "report.v2.py, which cannot be imported" in said(tmp_path, "report.v2.py", source)
    source = (tmp_path / "report.v2.py").read_text()
    completed = subprocess.run(
        [sys.executable, "-c", source],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
    )
    assert "in a notebook or at a prompt" in completed.stdout
    assert completed.stdout.count("\n") == 1


def test_workers_look_where_the_program_looks_and_not_for_the_standard_library(
    tmp_path: Path,
) -> None:
    found = said(tmp_path, "s.py", "print(json.dumps(import_path()))")

    assert found.split(os.pathsep)[:2] == [str(tmp_path), str(ROOT)]
    assert os.path.dirname(os.__file__) not in found.split(os.pathsep)  # noqa: PTH120
    aside = said(tmp_path, "s.py", "print(json.dumps(import_path()))", "-P", "s.py")
    assert str(tmp_path) in aside.split(os.pathsep)
