"""The walks of the guides, from files to the first result in a browser."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests import ROOT
from tests.support.browsers import chromium
from tests.support.documented.blocks import blocks
from tests.support.documented.shell import shell
from tests.support.programs import started
from tests.support.tutorial import steps

EXAMPLES: Final = ROOT / "examples"
SHOWN: Final = {
    "docs/from-background-tasks.md": "from_background_tasks",
    "docs/from-celery.md": "from_celery",
    "docs/from-an-executor.md": "from_executor",
}
BOUND: Final = 60_000.0  # milliseconds that a page may take to show what is expected


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page in a real browser."""
    if chromium() is None:
        pytest.skip("no Chromium on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def walked(document: str, folder: Path, page: Page, path: str, *words: str) -> None:
    """Walk through a page's commands, then look for `words` on a page of the server."""
    text = (ROOT / document).read_text()
    with shell(text, folder) as opened:
        for step in steps(text):
            said = "\n".join(opened.say(step))
            assert said == step.shown, step.command
        see(page, opened.url(path), *words)


def see(page: Page, url: str, *words: str) -> None:
    """Look for a row with these words; what is there may be under way still."""
    page.goto(url)
    row = page.locator("main tr")
    for each in words:
        row = row.filter(has_text=each)
    expect(row.first).to_be_visible(timeout=BOUND)


@pytest.mark.soak
def test_the_walk_from_background_tasks_ends_at_a_task_in_the_browser(
    tmp_path: Path, page: Page
) -> None:
    walked(
        "docs/from-background-tasks.md", tmp_path, page, "/tasks", "jobs.send_welcome", "succeeded"
    )


@pytest.mark.soak
def test_the_walk_from_celery_ends_at_a_chain_in_the_browser(tmp_path: Path, page: Page) -> None:
    walked("docs/from-celery.md", tmp_path, page, "/pipelines", "order 7", "succeeded")


@pytest.mark.soak
def test_the_walk_from_rq_ends_at_a_task_in_the_browser(tmp_path: Path, page: Page) -> None:
    walked("docs/from-rq.md", tmp_path, page, "/tasks", "jobs.count_words", "succeeded")


@pytest.mark.soak
def test_the_walk_from_an_executor_ends_at_its_tasks_in_the_browser(
    tmp_path: Path, page: Page
) -> None:
    """The script waits for Enter at its end, so it is run by itself."""
    [shown] = [step.shown for step in steps((ROOT / "docs/from-an-executor.md").read_text())]
    [script] = [b.text for b in blocks("docs/from-an-executor.md") if "pooldeck.Server(" in b.text]
    (tmp_path / "after.py").write_text(script)
    with started(
        [sys.executable, "-u", "after.py"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if "POOLDECK" not in name},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        said = _until_it_asks(program)
        [address] = re.findall(r"http://\S+(?=/tasks)", said)
        assert said.strip().replace(address, "http://127.0.0.1:8000") == shown
        see(page, f"{address}/tasks", "primes_below", "succeeded")
        program.communicate("\n", timeout=120)

    assert program.returncode == 0


def _until_it_asks(program: "subprocess.Popen[str]") -> str:
    assert program.stdout is not None
    said = ""
    while not said.endswith("Enter. "):
        letter = program.stdout.read(1)
        assert letter, f"it has ended: {said}"
        said += letter
    return said


@pytest.mark.parametrize(("document", "folder"), SHOWN.items())
def test_a_guide_shows_the_files_of_its_example(document: str, folder: str) -> None:
    shown = {block.text for block in blocks(document) if block.language == "python"}

    assert shown == {path.read_text() for path in (EXAMPLES / folder).glob("*.py")}


@pytest.mark.parametrize("folder", SHOWN.values())
def test_a_walk_asks_for_less_than_twenty_lines_of_ones_own(folder: str) -> None:
    before = set(lines_of(EXAMPLES / folder / "before.py"))
    files = [path for path in (EXAMPLES / folder).glob("*.py") if path.name != "before.py"]
    own = [line for file in files for line in lines_of(file) if line not in before]

    assert 0 < len(own) < 20


def lines_of(file: Path) -> list[str]:
    return [line for line in file.read_text().splitlines() if line.strip()]
