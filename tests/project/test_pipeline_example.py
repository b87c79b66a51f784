"""The example of a pipeline does what it says, on real files, across real threads and processes."""

from collections import Counter
from pathlib import Path
from typing import Any

from examples.pipeline import PIPELINE
from examples.samples import write_samples
from tests import ROOT
from tests.support.serving import Serving, serving

CHAPTERS = 12
CONFIG = """
functions = ["examples.pipeline"]

[pools.io]
kind = "thread"
size = 8

[pools.cpu]
kind = "process"
size = 2
"""


def _most_frequent(folder: Path) -> dict[str, int]:
    """Count the words of all chapters in one go."""
    words: Counter[str] = Counter()
    for chapter in sorted(folder.glob("chapter-*.txt")):
        words.update(chapter.read_text().lower().split())
    return dict(words.most_common(10))


def _ended(server: Serving, pipeline: dict[str, Any]) -> dict[str, Any]:
    """Return the joining task of a pipeline when it has ended."""
    task = pipeline["tasks"]["join"][0]
    found: dict[str, Any] = server.client.get(f"/api/v1/tasks/{task}?wait=60").json()
    return found


def test_threads_read_processes_count_and_one_task_adds_up(tmp_path: Path) -> None:
    write_samples(tmp_path / "examples" / "data", chapters=CHAPTERS)
    (tmp_path / "pooldeck.toml").write_text(CONFIG)
    root = str(ROOT)
    with serving(tmp_path, environment={"PYTHONPATH": root}) as server:
        server.wait_until_ready()
        sent = server.client.post("/api/v1/pipelines", json=PIPELINE).json()
        joined = _ended(server, sent)
        assert joined["result"] == _most_frequent(tmp_path / "examples" / "data")
        found = server.client.get(f"/api/v1/pipelines/{sent['id']}").json()
        assert found["counts"] == {"succeeded": 2 * CHAPTERS + 2}
        for step, pool in (("read", "io"), ("count", "cpu")):
            tasks = server.client.get(
                "/api/v1/tasks", params={"pipeline": sent["id"], "pool": pool, "limit": 100}
            ).json()["items"]
            in_step = [task for task in tasks if task["pipeline"]["step"] == step]
            assert len(in_step) == CHAPTERS
            assert all(task["worker"]["id"].startswith(f"{pool}-") for task in in_step)


def test_a_file_that_cannot_be_read_is_skipped(tmp_path: Path) -> None:
    data = tmp_path / "examples" / "data"
    write_samples(data, chapters=3)
    (tmp_path / "pooldeck.toml").write_text(CONFIG)
    root = str(ROOT)
    with serving(tmp_path, environment={"PYTHONPATH": root}) as server:
        server.wait_until_ready()
        (data / "chapter-99.txt").write_bytes(b"\xff is no UTF-8")
        joined = _ended(server, server.client.post("/api/v1/pipelines", json=PIPELINE).json())
        (data / "chapter-99.txt").unlink()
        assert joined["result"] == _most_frequent(data)
