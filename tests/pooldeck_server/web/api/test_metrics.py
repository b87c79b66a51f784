"""Probes and figures."""

import signal
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.support.served import POOLS, Served, served
from tests.support.watching import task_in, until


def test_probes_say_one_word(server: Served) -> None:
    assert server.http.get("/healthz").json() == {"status": "ok"}
    assert server.http.get("/readyz").json() == {"status": "ready"}


def figures(server: Served) -> dict[tuple[str, ...], float]:
    text = server.http.get("/metrics").text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_prometheus_is_told_what_ran_and_where(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        server.submit("add", 1)
        server.submit("add", 2)
        server.submit("fail", "x")
        task_in(server, server.submit("block", wait=0).json()["id"], "running")
        server.submit("block", wait=0)
        until(lambda: figures(server)["pooldeck_pool_queued", "solo"] == 1)
        found = figures(server)
        add, fail = "web_functions.add", "web_functions.fail"
        assert found["pooldeck_tasks_ended_total", add, "cpu", "succeeded"] == 2
        assert found["pooldeck_tasks_ended_total", fail, "io", "failed"] == 1
        assert found["pooldeck_tasks", add, "cpu", "succeeded"] == 2
        assert ("pooldeck_tasks_ended_total", "web_functions.block", "solo", "queued") not in found
        assert found["pooldeck_pool_size", "io"] == 2
        assert found["pooldeck_pool_busy", "solo"] == 1
        assert found["pooldeck_pool_queued", "solo"] == 1
        assert found["pooldeck_pool_oldest_wait_seconds", "solo"] >= 0
        assert found["pooldeck_pool_oldest_wait_seconds", "io"] == 0
        assert found["pooldeck_pool_up", "cpu"] == 1
        assert found["pooldeck_database_bytes",] > 0
        assert found["pooldeck_wal_bytes",] >= 0
        until(lambda: measured_pools(server) == {"cpu", "io", "solo"})


def test_ends_and_reruns_are_counters_that_a_retry_by_hand_does_not_lower(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        task = server.submit("flaky", 1).json()["id"]
        flaky = "web_functions.flaky"
        before = figures(server)
        assert before["pooldeck_tasks_ended_total", flaky, "cpu", "succeeded"] == 1
        assert before["pooldeck_reruns_total", flaky, "cpu"] == 1

        assert server.http.post(f"/api/v1/tasks/{task}/retry").status_code < 300
        ended = ("pooldeck_tasks_ended_total", flaky, "cpu", "succeeded")
        until(lambda: figures(server)[ended] == 2)

        after = figures(server)
        assert after["pooldeck_tasks", flaky, "cpu", "succeeded"] == 1
        assert after["pooldeck_reruns_total", flaky, "cpu"] == 1
        assert ("pooldeck_tasks_ended_total", flaky, "cpu", "failed") not in after


def test_deaths_holds_and_spares_are_figures_too(tmp_path: Path) -> None:
    pools = POOLS | {"solo": {"kind": "process", "size": 1}}
    with served(tmp_path, hold_after=1, pools=pools) as server:
        server.submit("add", 1, 2, pool="solo")
        until(lambda: figures(server)["pooldeck_pool_spare", "solo"] == 1)
        assert figures(server)["pooldeck_incidents_total", "solo"] == 0

        server.submit("die", signal.SIGKILL)
        until(lambda: figures(server)["pooldeck_functions_on_hold",] == 1)

        assert figures(server)["pooldeck_incidents_total", "solo"] == 1
        assert figures(server)["pooldeck_incidents_total", "cpu"] == 0


def measured_pools(server: Served) -> set[str]:
    """Return the pools of which workers have been measured."""
    return {key[1] for key in figures(server) if key[0] == "pooldeck_worker_resident_bytes"}
