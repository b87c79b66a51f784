"""The commands of README.md and docs/ say what is shown, typed into a real server."""

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import pytest

from examples.samples import write_samples
from tests import ROOT
from tests.support.documented.blocks import Block, blocks
from tests.support.documented.walks import Step, Walk, fits, steps
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually

ADDRESS: Final = "127.0.0.1:8000"
SETTINGS: Final = """
    functions = ["examples.computing", "examples.failures", "jobs",
        "examples.pipeline", "acme.jobs"]

    [pools.io]
    kind = "thread"
    size = 4

    [pools.cpu]
    kind = "process"
    size = 2
"""
ACME: Final = """
    from pooldeck import task

    @task
    def fetch(order: str) -> str:
        return order
"""
# It makes what the program of that name would, so that the example needs no such program.
THUMBNAIL: Final = """\
#!/bin/sh
[ "$1" = --size=256x ] && [ "$3" = -- ] && cp "$4" "${2#--output=}"
"""


def written(folder: Path) -> None:
    """Write what the documents take for granted: functions, settings, a picture."""
    [jobs] = [block.text for block in blocks("README.md") if block.language == "python"]
    [thumbnail, _] = [block for block in blocks("docs/commands.md") if block.language == "toml"]
    (folder / "pooldeck.toml").write_text(dedent(SETTINGS) + thumbnail.text)
    (folder / "jobs.py").write_text(jobs)
    (folder / "acme").mkdir()
    (folder / "acme" / "jobs.py").write_text(dedent(ACME))
    (folder / "a b.png").write_bytes(b"a picture")
    (folder / "backups").mkdir()
    (folder / "vipsthumbnail").write_text(THUMBNAIL)
    (folder / "vipsthumbnail").chmod(0o755)
    write_samples(folder / "examples" / "data", chapters=2)


@contextmanager
def deck(folder: Path) -> Iterator[Serving]:
    path = f"{folder}:/usr/bin:/bin"
    with serving(folder, environment={"PYTHONPATH": str(ROOT), "PATH": path}) as server:
        server.wait_until_ready()
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    written(folder)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Serving]:
    with deck(folder) as server:
        yield server


def place(server: Serving) -> str:
    return f"{server.client.base_url.host}:{server.client.base_url.port}"


def submitted(server: Serving, function: str, *args: Any, **body: Any) -> str:
    answer = server.client.post(
        "/api/v1/tasks", json={"function": function, "args": args, **body}
    ).json()
    return str(answer["id"])


def task(server: Serving, task_id: str, wait: float = 0) -> dict[str, Any]:
    found: dict[str, Any] = server.client.get(f"/api/v1/tasks/{task_id}?wait={wait}").json()
    return found


def commands_of(document: str) -> list[Block]:
    return [block for block in blocks(document) if block.text.startswith("$ ")]


def all_steps(found: list[Block]) -> list[Step]:
    return [step for block in found for step in steps(block.text)]


def id_in(block: Block) -> str:
    found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", block.text)
    assert found
    return found[0]


def test_the_commands_of_a_page_say_what_it_shows(folder: Path, server: Serving) -> None:
    address = place(server)
    for page in ("commands", "pipelines", "placement"):
        walk = Walk(folder, {"localhost:8000": address})
        walk.go(all_steps(commands_of(f"docs/{page}.md")))

    assert (folder / "small.png").read_bytes() == b"a picture"


@pytest.mark.soak
def test_the_commands_for_operations_say_what_is_shown(tmp_path: Path) -> None:
    written(tmp_path)
    doctor, *others = commands_of("docs/operations.md")
    assert doctor.text.startswith("$ pooldeck doctor")
    with deck(tmp_path) as server:
        Walk(tmp_path, {ADDRESS: place(server)}).go(all_steps(others))
        assert server.wait() == 0, "the drain has stopped it"

    assert (tmp_path / "backups" / "monday.sqlite3").exists()


ONE, OTHER = "01a20376-3dc0-72a1-89ef-26fd8652e91c", "01a22959-1d16-73d6-ab62-d0045a356531"


@pytest.mark.parametrize(
    ("shown", "said", "is_alike"),
    [
        ('{"a":1.5,…}', '{"a":22,"b":{}}\n', True),
        ('{"a":\n "b"}', '{"a":"b"}', True),
        ('{"a":"b"}', '{"a":"c"}', False),
        ('{"a":1}', '{"a":1,"b":2}', False),
        ("id 2026-11-22T17:18:53.595383Z", "id 2027-01-01T00:00:00Z", True),
        (f"{ONE} {ONE}", f"{OTHER} {OTHER}", True),
        (f"{ONE} {ONE}", f"{OTHER} {ONE}", False),
    ],
)
def test_what_is_said_may_differ_in_numbers_and_ids_and_where_dots_stand(
    shown: str, said: str, is_alike: bool
) -> None:
    assert fits(shown, said) == is_alike


PASSWORDS: Final = ["secret"] * 5000


@pytest.mark.soak
def test_the_commands_of_the_readme_say_what_it_shows(folder: Path, server: Serving) -> None:
    *usual, last = commands_of("README.md")
    [retries] = [block for block in usual if "/attempts" in block.text]
    [cancelling] = [block for block in usual if "/stack" in block.text]
    failing = submitted(server, "jobs.download", "http://127.0.0.1:1/", "saved", retries=2)
    computing = submitted(server, "jobs.hash_passwords", PASSWORDS)
    assert task(server, failing, wait=60)["state"] == "failed"
    eventually(lambda: task(server, computing)["state"] == "running", "it runs")
    walk = Walk(
        folder,
        {
            ADDRESS: place(server),
            "5000 passwords": json.dumps(PASSWORDS),
            id_in(retries): failing,
            id_in(cancelling): computing,
        },
    )

    walk.go(all_steps(usual))
    cut_off(server)
    [recovery] = [block for block in blocks("README.md") if block.text.startswith("WARNING")]
    with deck(folder) as next_server:
        said = [line.split(" ", 2)[2] for line in next_server.said if "recovery" in line]
        assert any(fits(recovery.text, line) for line in said), said
        walk.stands_for[ADDRESS] = place(next_server)
        walk.go(steps(last.text))


def cut_off(server: Serving) -> None:
    """Kill the server while three tasks run and two wait."""
    server.client.patch("/api/v1/pools/cpu", json={"size": 3})
    sent = [submitted(server, "jobs.hash_passwords", PASSWORDS) for _ in range(5)]
    eventually(
        lambda: [task(server, each)["state"] for each in sent].count("running") == 3, "three run"
    )
    server.process.send_signal(signal.SIGKILL)
    server.wait()
