"""Every example of README.md and docs/ is run, or a table says why not."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

from pooldeck_server.settings import Settings
from tests import ROOT
from tests.support.documented.blocks import Block, all_blocks, of_language
from tests.support.documented.given import before, write_modules
from tests.support.documented.runners import ROWS, Row, is_covered, row_of

ELLIPSIS: Final = "…"


def by_themselves(language: str) -> list[Block]:
    return [block for block in of_language(language) if row_of(block) is None]


def test_each_example_is_run_or_a_table_says_why_not() -> None:
    found = list(all_blocks())
    lacking = [f"{block} [{block.language}] {block.text[:60]!r}" for block in found]

    assert len(found) > 80
    assert [
        line for line, block in zip(lacking, found, strict=True) if not is_covered(block)
    ] == [], "add a row in tests/support/documented/runners.py"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.document}-{row.begins}")
def test_each_row_is_about_an_example_and_names_a_test_or_a_reason(row: Row) -> None:
    assert any(row_of(block) == row for block in all_blocks())
    assert bool(row.by) != bool(row.why)
    if row.by:
        file, _, test = row.by.partition("::")
        assert f"def {test}(" in (ROOT / file).read_text()


def test_examples_of_python_are_python() -> None:
    for block in of_language("python"):
        if ELLIPSIS not in block.text:
            compile(block.text, str(block), "exec")


def test_examples_of_python_can_be_imported(tmp_path: Path) -> None:
    """All in one process, as modules: a function of `__main__` cannot be registered."""
    write_modules(tmp_path)
    names = [_written(block, tmp_path) for block in by_themselves("python")]
    program = f"import importlib\nfor name in {names}: importlib.import_module(name)"

    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert len(names) > 5
    assert (ran.returncode, ran.stderr) == (0, "")


def _written(block: Block, folder: Path) -> str:
    """Write an example as a module, and return its name, which says where it stands."""
    name = "".join(letter if letter.isalnum() else "_" for letter in str(block))
    (folder / f"{name}.py").write_text(before(block) + block.text)
    return name


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without settings, for those of an example."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", by_themselves("toml"), ids=str)
def test_examples_of_settings_are_settings(block: Block, elsewhere: Path) -> None:
    file = elsewhere / "example.toml"
    (elsewhere / "secret").write_text("0123456789abcdef")
    file.write_text(re.sub(r"_file = \"/[^\"]+\"", f'_file = "{elsewhere}/secret"', block.text))

    settings = Settings(config=file).model_dump(exclude_unset=True)

    assert set(tomllib.loads(block.text)) <= set(settings)


@pytest.mark.parametrize("block", by_themselves("json"), ids=str)
def test_examples_of_json_are_json(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize("block", by_themselves("yaml"), ids=str)
def test_examples_of_yaml_are_yaml(block: Block) -> None:
    yaml = pytest.importorskip("yaml")

    assert isinstance(yaml.safe_load(block.text), dict)
