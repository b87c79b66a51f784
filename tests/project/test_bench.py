"""Every measurement of the benchmarks works, on a real server, if only with a handful of tasks."""

import contextlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from bench import (
    access,
    backup,
    batches,
    clients,
    crash,
    dashboards,
    experiments,
    figures,
    gil,
    idle,
    large_store,
    latency,
    recovery,
    requests,
    retention,
    seed,
    shared_state,
    start,
)
from bench.figures import Figure
from bench.load import Plan, UnexpectedAnswerError, generate, get
from bench.processes import application
from bench.scale import Scale
from pooldeck_server.store.database import Database
from pooldeck_server.store.tables import tasks
from tests import ROOT

HANDFUL = Scale(
    Path(),
    rounds=1,
    batch_tasks=50,
    requests=40,
    latencies=3,
    finished=300,
    queued=30,
    interrupted=10,
    crashes=1,
    large_batch_tasks=20,
    page_views=1,
    idle_seconds=0.1,
    gil_seconds=6,
    dashboards=2,
    dashboard_seconds=0.5,
    experiment_seconds=0.2,
    shared_steps=50,
    retention_tasks=300,
    backup_tasks=300,
)


MEASUREMENTS = {
    batches: {"no-ops in batches of 1,000, two processes", "  ProcessPoolExecutor(2)"},
    requests: {"submissions, 16 connections", "  empty FastAPI application"},
    clients: {"no-ops by client.map, results gathered", "client.submit in a loop, until stored"},
    latency: {"a no-op alone, process pool: median", "a no-op alone, thread pool: median"},
    large_store: {"memory of the server, large store", "large store: overview page"},
    idle: {"idle: memory of the server (RSS)", "idle: memory of all processes (PSS)"},
    start: {"serve to the first result"},
    dashboards: {"2 open dashboards, 20 tasks a second: frames"},
    gil: {"/healthz under GIL abuse: 99th percentile"},
    crash: {"SIGKILL of a worker to the next start", "  pebble"},
    experiments: {
        "computing: knee of the experiment",
        "waiting for 8 at a time: knee of the experiment",
    },
    recovery: {"until ready: 30 queued, 10 interrupted", "  empty store"},
    shared_state: {"shared counter: one process"},
    retention: {"submissions, 1,000 a second, p99", "  while tasks are deleted"},
    backup: {"a copy, checked", "  while copies are made"},
    access: {"submissions without a token, 16 connections", "  with one"},
}


@pytest.mark.soak
@pytest.mark.parametrize(
    ("measurement", "names"),
    MEASUREMENTS.items(),
    ids=[measurement.__name__ for measurement in MEASUREMENTS],
)
def test_a_measurement_finds_its_figures(
    measurement: ModuleType, names: set[str], tmp_path: Path
) -> None:
    scale = msgspec.structs.replace(HANDFUL, folder=tmp_path)

    found = {figure.name: figure.value for figure in measurement.measure(scale)}

    assert names <= found.keys()
    assert all(found[name] > 0 for name in names)


def test_an_answer_that_was_not_wanted_is_no_measurement(tmp_path: Path) -> None:
    with (
        application("empty", tmp_path) as server,
        pytest.raises(UnexpectedAnswerError, match="404"),
    ):
        generate(Plan(server.port, [get("/nowhere")], 2), wanted=[200])


def test_the_load_generator_sends_its_requests_in_turn(tmp_path: Path) -> None:
    with application("empty", tmp_path) as server:
        plan = Plan(server.port, [get("/nowhere"), get("/openapi.json")], 6, connections=2)
        load = generate(plan, wanted=[200, 404])

    assert load.statuses == {200: 3, 404: 3}
    assert len(load.latencies) == 6


def test_the_load_generator_stops_when_its_time_is_over(tmp_path: Path) -> None:
    with application("bare", tmp_path) as server:
        plan = Plan(server.port, [get("/")], 10**9, connections=2, seconds=0.2)
        load = generate(plan, wanted=[202])

    assert 0 < len(load.latencies) < 10**9


def test_a_filled_database_has_counted_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "pooldeck.sqlite3"
    Database.open(path, "full").close()

    seed.fill(path, finished=1000, queued=100)

    with contextlib.closing(sqlite3.connect(path)) as connection:
        counted = connection.execute("SELECT state, sum(n) FROM counters GROUP BY 1").fetchall()
        held = connection.execute("SELECT state, count(*) FROM tasks GROUP BY 1").fetchall()
        indexes = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
        assert sorted(counted) == sorted(held)
        assert dict(held)["queued"] == 100
        assert sum(number for _, number in held) == 1100
        assert {index.name for index in tasks.indexes} <= {name for (name,) in indexes}


def test_tasks_that_are_left_running_are_counted_as_such(tmp_path: Path) -> None:
    path = tmp_path / "pooldeck.sqlite3"
    Database.open(path, "full").close()
    seed.fill(path, finished=0, queued=10)

    seed.interrupt(path, 4)

    with contextlib.closing(sqlite3.connect(path)) as connection:
        counted = connection.execute("SELECT state, sum(n) FROM counters GROUP BY 1").fetchall()
        options = connection.execute("SELECT options FROM tasks WHERE state = 'running'").fetchall()
    assert dict(counted) == {"queued": 6, "running": 4}
    assert sorted(option is None for (option,) in options) == [False, False, True, True]


def test_a_figure_says_whether_it_is_what_is_wanted() -> None:
    assert Figure("", 5000, "", at_least=5000).is_met
    assert not Figure("", 4999, "", at_least=5000).is_met
    assert not Figure("", 4.1, "ms", at_most=4).is_met
    assert "MISSED" in figures.table([Figure("slow", 4.1, "ms", at_most=4)])


def test_ratios_and_percentiles() -> None:
    assert figures.ratios([2, 9], [4, 3]) == [0.5, 3]
    assert figures.of_rounds("", [3, 1, 2], "").value == 2
    assert figures.percentile(range(1, 101), 95) == 95
    assert figures.percentile([7], 99) == 7


@pytest.mark.soak
def test_the_command_writes_what_it_printed_as_json(tmp_path: Path) -> None:
    report = tmp_path / "figures.json"
    completed = subprocess.run(
        [
            *(sys.executable, "-m", "bench", "--quick", "--only", "latency"),
            *("--folder", str(tmp_path / "data"), "--json", str(report)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )

    written = json.loads(report.read_text())
    assert written["machine"]["python"].startswith("Python 3")
    for figure in written["figures"]:
        assert figure["name"] in completed.stdout
    assert list((tmp_path / "data").iterdir()) == []
