"""The examples of docs/client.md run, and print what stands below them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.serving import serving

PAGE = (ROOT / "docs" / "client.md").read_text()
[MODULE] = re.findall(r"```python\n# jobs.py\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = re.findall(r"```python\n((?:(?!```).)*)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """That of a program beside a server with the page's module."""
    folder = tmp_path_factory.mktemp("client-page")
    (folder / "jobs.py").write_text(MODULE)
    with serving(folder, "--functions", "jobs") as server:
        server.wait_until_ready()
        url = str(server.client.base_url).rstrip("/")
        yield os.environ | {"POOLDECK_URL": url, "PYTHONPATH": str(folder)}


def test_every_example_says_what_it_prints() -> None:
    assert len(EXAMPLES) == PAGE.count("```python") - 1 > 5


@pytest.mark.parametrize(("program", "printed"), EXAMPLES)
def test_an_example_prints_what_stands_below_it(
    program: str, printed: str, environment: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == (printed, "", 0)


def test_the_page_names_every_error_of_the_client() -> None:
    from pooldeck.client import errors  # noqa: PLC0415 - only here

    named = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ == errors.__name__
    }
    assert {name for name in named if f"`{name}`" not in PAGE} == {"ClientError"}
