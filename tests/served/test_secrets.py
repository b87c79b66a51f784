"""What a real server with a token keeps to itself: its helpers and workers know nothing of it."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import FUNCTIONS
from tests.support.serving import Serving, serving

TOKEN = "a-token-of-the-tests-long-enough"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    environment = {
        "POOLDECK_TOKEN": TOKEN,
        "POOLDECK_FUNCTIONS": "web_functions,shared_functions",
        "PYTHONPATH": str(FUNCTIONS),
    }
    with serving(tmp_path_factory.mktemp("locked"), environment=environment) as server:
        server.wait_until_ready()
        server.client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield server


def test_no_process_that_the_server_starts_has_the_token(locked: Serving) -> None:
    assert locked.run("web_functions.add", 1, 2)["result"] == 3
    locked.run("shared_functions.where")  # a task that shares something
    started = psutil.Process(locked.process.pid).children(recursive=True)
    programs = [" ".join(each.cmdline()) for each in started]

    assert any("marks.py" in program for program in programs)  # the keeper
    assert any("pooldeck.shared.process" in program for program in programs)
    assert any("worker" in program for program in programs)
    told = [*programs, *(" ".join(each.environ().values()) for each in started)]
    assert [words for words in told if TOKEN in words] == []


def test_the_folder_of_the_data_is_closed_and_so_is_each_file_in_it(locked: Serving) -> None:
    files = psutil.Process(locked.process.pid).open_files()
    [folder] = {Path(file.path).parent for file in files if "pooldeck.sqlite3" in file.path}

    there = [folder, *folder.rglob("*")]
    assert len(there) > 4
    assert [path.name for path in there if path.stat().st_mode & 0o077] == []
