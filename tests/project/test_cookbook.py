"""Each recipe of docs/cookbook.md prints what is shown below it, against one server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.documented.apps import app_running
from tests.support.documented.blocks import Block, blocks
from tests.support.documented.walks import Walk, steps
from tests.support.serving import COMMAND, Serving, serving

BLOCKS: Final = blocks("docs/cookbook.md")
FUNCTIONS: Final = "# jobs.py\n"
APP: Final = "# app.py\n"
PYTHON: Final = [block for block in BLOCKS if block.language == "python"]
SCRIPTS: Final = [block for block in PYTHON if not block.text.startswith((FUNCTIONS, APP))]


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the functions of all recipes in one module, and the app of one."""
    folder = tmp_path_factory.mktemp("kitchen")
    for name, mark in (("jobs.py", FUNCTIONS), ("app.py", APP)):
        parts = [block.text for block in PYTHON if block.text.startswith(mark)]
        (folder / name).write_text("\n\n".join(parts))
    return folder


@pytest.fixture(scope="module")
def server(kitchen: Path) -> Iterator[Serving]:
    with serving(kitchen, "--functions", "jobs") as server:
        server.wait_until_ready()
        yield server


@pytest.fixture
def at_the_stove(kitchen: Path, server: Serving, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """This process as a program in that folder, which finds the server; yields its address."""
    address = str(server.client.base_url)
    monkeypatch.chdir(kitchen)
    monkeypatch.syspath_prepend(kitchen)
    monkeypatch.setenv("POOLDECK_URL", address)
    yield address
    sys.modules.pop("jobs", None)


def shown_below(script: Block) -> str:
    after = BLOCKS[BLOCKS.index(script) + 1]
    assert (after.language, after.section) == ("text", script.section), "nothing is shown below"
    return after.text


@pytest.mark.usefixtures("at_the_stove")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.section)
def test_a_recipe_prints_what_is_shown_below_it(
    script: Block, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(script.text, str(script), "exec"), {"__name__": "__main__"})

    assert capsys.readouterr().out == shown_below(script)


def test_there_is_a_recipe_for_what_people_search_for() -> None:
    assert len({block.section for block in BLOCKS}) > 15


def test_the_line_for_cron_stores_one_task_an_hour_however_often_it_is_run(
    at_the_stove: str, server: Serving
) -> None:
    [line] = [block.text for block in BLOCKS if block.language == "crontab"]
    command = line.split(maxsplit=5)[5].replace("\\%", "%").replace("date -u", "date -u -d @0")
    path = f"{Path(COMMAND[0]).parent}{os.pathsep}{os.environ['PATH']}"

    for _ in range(2):
        subprocess.run(
            ["bash", "-c", command],
            check=True,
            timeout=120,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PATH": path, "POOLDECK_URL": at_the_stove},
        )

    found = server.client.get("/api/v1/tasks", params={"function": "jobs.clean_up"}).json()
    assert len(found["items"]) == 1


def test_the_endpoint_answers_when_the_task_is_stored(at_the_stove: str, kitchen: Path) -> None:
    [commands] = [block for block in BLOCKS if "/conversions" in block.text and "$ " in block.text]

    with app_running(kitchen, "app", os.environ) as place:
        walk = Walk(kitchen, {"127.0.0.1:8001": place})
        walk.go(steps(commands.text))

    assert at_the_stove
