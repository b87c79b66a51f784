"""`python -m tests` takes what failed beside others once more, and believes only that."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.selecting import hidden, is_read_in_vain

SUITE = """
from pathlib import Path

MARK = Path(__file__).with_name("was_here")


def test_that_heeds_its_neighbours():
    was_here = MARK.exists()
    MARK.touch()
    assert was_here


def test_that_holds():
    pass
"""
BROKEN = """

def test_that_is_broken():
    assert False
"""


def test_a_failure_that_does_not_come_again_is_named_and_passes(tmp_path: Path) -> None:
    run = run_of(tmp_path, SUITE)

    assert run.returncode == 0
    assert "passed one by one" in run.stdout
    assert "test_that_heeds_its_neighbours" in run.stdout.rpartition("passed one by one")[2]


def test_a_failure_that_comes_again_fails_the_run(tmp_path: Path) -> None:
    run = run_of(tmp_path, SUITE + BROKEN)

    assert run.returncode == 1
    assert "passed one by one" not in run.stdout
    said = run.stdout.rpartition("failed alone as well")[2]
    assert "test_that_is_broken" in said
    assert "test_that_heeds_its_neighbours" not in said


@pytest.mark.parametrize(
    ("text", "expression", "is_in_vain"),
    [
        ("def test_it(): ...", "soak and not endurance", True),
        ("def test_it(): ...", "not soak", False),
        ("def test_it(): ...", "", False),
        ("@pytest.mark.soak\ndef test_it(): ...", "soak and not endurance", False),
        ("@LOOKS\ndef test_it(look): ...", "soak", False),
    ],
)
def test_a_run_of_what_takes_long_reads_no_file_without_any(
    tmp_path: Path, text: str, expression: str, is_in_vain: bool
) -> None:
    file = tmp_path / "test_suite.py"
    file.write_text(text)
    support = tmp_path / "support.py"
    support.write_text(text)

    assert is_read_in_vain(file, expression) == is_in_vain
    assert not is_read_in_vain(support, expression)


def test_what_takes_long_and_would_not_be_read_is_named(tmp_path: Path) -> None:
    plain, hiding = tmp_path / "test_plain.py", tmp_path / "test_hiding.py"
    plain.write_text("@pytest.mark.soak\ndef test_it(): ...")
    hiding.write_text("@MARKED_ELSEWHERE\ndef test_it(): ...")

    assert hidden([plain, hiding, hiding]) == [str(hiding)]


def run_of(folder: Path, suite: str) -> "subprocess.CompletedProcess[str]":
    file = folder / "test_suite.py"
    file.write_text(suite)
    return subprocess.run(
        [sys.executable, "-m", "tests", "-p", "no:cacheprovider", file.name],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
