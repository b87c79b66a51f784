"""Every measurement of the benchmarks works, on a real server, if only with a handful of tasks."""

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from bench import (
    access,
    backup,
    batches,
    box,
    clients,
    crash,
    dashboards,
    experiments,
    figures,
    gil,
    hosts,
    idle,
    large_store,
    latency,
    one_connection,
    recovery,
    requests,
    retention,
    seed,
    shared_state,
    start,
    views,
)
from bench.__main__ import MEASUREMENTS as NAMED
from bench.documents import filled
from bench.figures import Figure, of_rounds
from bench.functions import noop
from bench.load import Plan, UnexpectedAnswerError, generate, get
from bench.processes import application
from bench.report import as_markdown
from bench.scale import Scale
from bench.stages import profile
from bench.stages.parts import MEANINGS, RUN, STAGES
from bench.stages.server import MissingPartError, hang
from bench.stages.stopwatch import Stopwatches
from pooldeck_server.store.database import Database
from pooldeck_server.store.tables import tasks
from pooldeck_server.web.http.rules import RULES
from tests import ROOT

HANDFUL = Scale(
    Path(),
    rounds=1,
    size_rounds=1,
    batch_tasks=50,
    client_loop=50,
    requests=40,
    latencies=3,
    one_by_one=3,
    one_loop=10,
    boxed=100,
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
    start: {"serve to the first result"},
    large_store: {"memory of the server, large store", "large store: page /", "  empty store"},
    one_connection: {"one connection, one after the other: a submission"},
    box: {"black box: a begin and an end", "no-ops through a pool with black boxes"},
    profile: {"in batches: store", "one by one: commit, with the sync"},
    idle: {"idle: memory of the server (RSS)", "idle: memory of all processes (PSS)"},
    dashboards: {"2 open dashboards, 20 tasks a second: frames"},
    gil: {"/healthz under GIL abuse: 99th percentile"},
    hosts: {"a no-op alone, on a host", "no-ops in a batch, on a host"},
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


def test_a_filled_database_has_grouped_its_errors_and_indexed_its_arguments(
    tmp_path: Path,
) -> None:
    path = tmp_path / "pooldeck.sqlite3"
    Database.open(path, "full").close()

    for _ in range(2):
        seed.fill(path, finished=500, queued=50)

    with contextlib.closing(sqlite3.connect(path)) as connection:

        def number(query: str) -> int:
            return int(connection.execute(query).fetchone()[0])

        failed = number("SELECT count(*) FROM tasks WHERE state = 'failed'")
        assert failed > 0
        assert number("SELECT sum(n) FROM error_groups") == failed
        assert number("SELECT sum(n) FROM error_counts") == failed
        found = "SELECT rowid FROM argument_text WHERE argument_text MATCH '\"order 423\"'"
        assert number(found) == 423
        assert number("SELECT through FROM search_progress") == 1100
        assert number("SELECT count(*) FROM task_tags") == 11
        [(mode,)] = connection.execute("PRAGMA journal_mode")
        [(verdict,)] = connection.execute("PRAGMA integrity_check")
        assert (mode, verdict) == ("wal", "ok")


def test_every_page_of_the_dashboard_is_looked_at_in_a_large_store() -> None:
    pages = {
        route
        for route, methods in RULES.items()
        if "GET" in methods and not route.startswith("/api/")
    }
    looked_at = {page.partition("?")[0] for page in views.PAGES}
    assert looked_at | views.NOT_LOOKED_AT.keys() == pages
    assert not looked_at & views.NOT_LOOKED_AT.keys()


def test_every_stage_has_its_meaning_and_its_parts_are_there() -> None:
    assert [stage for stage in MEANINGS if stage != RUN] == list(STAGES)
    script = "from bench.stages.server import hang; from bench.stages.stopwatch import Stopwatches"
    subprocess.run([sys.executable, "-c", f"{script}; hang(Stopwatches())"], cwd=ROOT, check=True)


def test_a_stage_whose_part_is_gone_says_which_and_where_to_name_another() -> None:
    with pytest.raises(MissingPartError, match=r'"store".*nowhere:gone.*parts\.py'):
        hang(Stopwatches(), {"store": ("bench.functions:noop", "bench.nowhere:gone")})
    assert not hasattr(noop, "__wrapped__")


def test_a_stopwatch_counts_what_a_call_takes_without_the_calls_timed_within_it() -> None:
    watches = Stopwatches()
    inner = watches.timed("inner", lambda: sum(range(300_000)))
    outer = watches.timed("outer", lambda: [inner() for _ in range(3)])

    outer()

    [taken] = watches.taken().values()
    assert (taken["inner"].calls, taken["outer"].calls, taken["outer"].inner) == (3, 1, 3)
    assert 0 < taken["outer"].cpu < taken["inner"].cpu
    assert watches.outermost() == {"MainThread": 1}


def test_a_stopwatch_counts_the_steps_of_a_coroutine_and_not_its_waits() -> None:
    watches = Stopwatches()

    async def wait(failing: "asyncio.Future[None]") -> str:
        with contextlib.suppress(ZeroDivisionError):
            await failing
        await asyncio.sleep(0.2)
        return "done"

    async def main() -> None:
        loop = asyncio.get_running_loop()
        failing: asyncio.Future[None] = loop.create_future()
        loop.call_later(0.1, failing.set_exception, ZeroDivisionError())
        assert await watches.timed("waiting", wait)(failing) == "done"

    began = time.perf_counter_ns()
    asyncio.run(main())
    in_all = time.perf_counter_ns() - began

    [taken] = watches.taken().values()
    assert taken["waiting"].calls == 3
    assert 0 < taken["waiting"].wall < in_all / 2


def test_a_stopwatch_counts_how_a_context_manager_begins_and_ends() -> None:
    watches = Stopwatches()
    opened = watches.timed("opened", contextlib.nullcontext)

    with opened("given") as value, contextlib.suppress(KeyError):
        assert value == "given"
        raise KeyError

    [taken] = watches.taken().values()
    assert taken["opened"].calls == 3


@pytest.mark.parametrize("name", [*NAMED, "large"])
def test_the_page_about_performance_has_a_place_for_each_measurement(name: str) -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    assert "the new table" in filled(page, name, "the new table")


def test_figures_in_a_document_say_what_was_wanted_and_what_they_hold_for() -> None:
    found = [
        Figure("slow", 4.1, "ms", at_most=4),
        of_rounds("  beside it", [3, 1, 2], "per s"),
    ]
    assert as_markdown({"cpus": "2 CPUs", "load": "load before 0.10"}, found).splitlines() == [
        "| figure | measured | rounds | wanted |  |",
        "| --- | --- | --- | --- | --- |",
        "| slow | 4.1 ms |  | ≤ 4 | missed |",
        "| — beside it | 2 per s | 1 to 3 |  |  |",
        "",
        "2 CPUs, load before 0.10",
    ]


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
def test_the_command_writes_what_it_printed(tmp_path: Path) -> None:
    report, document = tmp_path / "figures.json", tmp_path / "page.md"
    document.write_text("<!-- latency -->\n<!-- end -->\n")
    completed = subprocess.run(
        [
            *(sys.executable, "-m", "bench", "--quick", "--only", "latency"),
            *("--folder", str(tmp_path / "data"), "--json", str(report)),
            *("--write", str(document)),
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
        assert f"{figure['name'].strip()} | " in document.read_text()
    assert list((tmp_path / "data").iterdir()) == []
