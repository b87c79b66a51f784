"""What a server loads, and when: tasks need little of it, pages and the other calls the rest."""

import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

from tests import FUNCTIONS
from tests.support.no_tls import NO_TLS
from tests.support.programs import started
from tests.support.waiting import eventually

LATER = {"fastapi", "jinja2", "babel", "prometheus_client", "alembic"}
PATHS = ("/", "/tasks", "/api/v1/pools", "/metrics", "/openapi.json", "/functions", "/nowhere")


class Watched:
    """A server whose interpreter says of each import that it was made."""

    def __init__(self, said: Path) -> None:
        self._said = said
        eventually(lambda: "http://" in said.read_text(), "the server says where it is")
        (address,) = re.findall(r"Pooldeck is at (http://[^\s]+)", said.read_text())
        self.http = httpx.Client(base_url=address, timeout=90, trust_env=False, verify=NO_TLS)
        eventually(lambda: self.http.get("/readyz").status_code == 200, "the server is ready")

    @property
    def loaded(self) -> list[str]:
        return re.findall(r"^import time:.*\| *([\w.]+)$", self._said.read_text(), re.MULTILINE)


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    said = folder / "said"
    command = [
        *(sys.executable, "-P", "-E", "-X", "importtime", "-m", "pooldeck_server", "serve"),
        *("--port", "0", "--functions", "web_functions"),
    ]
    with (
        said.open("w") as file,
        started(command, cwd=folder, env={"PYTHONPATH": str(FUNCTIONS)}, stderr=file),
    ):
        server = Watched(said)
        with closing(server.http):
            yield server


def test_tasks_are_run_without_what_pages_and_the_rest_of_the_api_need(tmp_path: Path) -> None:
    with watched(tmp_path) as server:
        assert not LATER & set(server.loaded)
        assert "jsonschema_rs" not in server.loaded  # it waits for the first arguments

        body = {"function": "web_functions.add", "args": [1, 2]}
        task = server.http.post("/api/v1/tasks", params={"wait": 60}, json=body).json()
        assert task["result"] == 3
        assert server.http.get("/healthz").status_code == 200
        assert not LATER & set(server.loaded)

        with ThreadPoolExecutor(len(PATHS)) as several:
            answers = dict(zip(PATHS, several.map(server.http.get, PATHS), strict=True))
        assert {path for path, each in answers.items() if each.status_code == 404} == {"/nowhere"}
        assert {each.status_code for each in answers.values()} == {200, 404}
        assert LATER - {"alembic"} <= set(server.loaded)
        assert server.loaded.count("fastapi") == 1
