"""What Prometheus and Grafana get: one server with something of everything behind it."""

import json
import re
import signal
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest
import yaml  # type: ignore[import-untyped]  # comes with schemathesis
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_format

from tests import ROOT
from tests.support.served import POOLS, Served, served
from tests.support.watching import until

OPENMETRICS: Final = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
DASHBOARD: Final = ROOT / "docs" / "grafana" / "pooldeck.json"
ALERTS: Final = ROOT / "docs" / "grafana" / "alerts.yml"
PAGE: Final = ROOT / "docs" / "monitoring.md"
NAMED: Final = re.compile(r"\b(?:pooldeck|process)_[a-z_]+\b")


class Scrape(NamedTuple):
    """The figures of one moment, in both formats."""

    text: dict[str, Metric]
    open: dict[str, Metric]

    def sample(self, name: str, **labels: str) -> float:
        """Return the value of the one sample with such labels, and any others."""
        [found] = [
            each.value
            for family in self.text.values()
            for each in family.samples
            if each.name == name and labels.items() <= each.labels.items()
        ]
        return found


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run a server in which tasks have succeeded, failed, and taken their worker along."""
    pools = POOLS | {"solo": {"kind": "process", "size": 1, "spare": 0}}
    folder = tmp_path_factory.mktemp("figures")
    with served(folder, pools=pools, metrics={"functions": 3}) as server:
        for number in range(3):
            server.submit("add", number)
        server.submit("fail", "x")
        server.submit("die", signal.SIGKILL)
        server.submit("echo", 1)  # one function too many
        server.submit("flaky", 1)  # and another
        server.http.get("/nowhere/1")
        server.http.get("/nowhere/2")
        server.http.get("/api/v1/pools/cpu")
        yield server


@pytest.fixture(scope="module")
def scrape(busy: Served) -> Scrape:
    plain = busy.http.get("/metrics")
    accepted = busy.http.get("/metrics", headers={"accept": OPENMETRICS})
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert accepted.headers["content-type"].startswith(
        "application/openmetrics-text; version=1.0.0"
    )
    return Scrape(
        {family.name: family for family in text_format(plain.text)},
        {family.name: family for family in openmetrics(accepted.text)},  # type: ignore[no-untyped-call]
    )


def test_both_formats_have_the_same_families(scrape: Scrape) -> None:
    assert scrape.text.keys() == scrape.open.keys()
    assert all(family.documentation for family in scrape.text.values())


def test_names_and_units_follow_the_conventions_of_prometheus(scrape: Scrape) -> None:
    for family in scrape.open.values():
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
        if not family.name.startswith("process_"):
            assert not re.search(r"_(ms|millis|kb|mb|minutes|total)$", family.name), family.name


def test_waits_and_runs_are_histograms_by_pool_and_function(scrape: Scrape) -> None:
    add = {"pool": "cpu", "function": "web_functions.add"}
    for name in ("pooldeck_task_wait_seconds", "pooldeck_task_run_seconds"):
        assert scrape.text[name].type == "histogram"
        assert scrape.sample(f"{name}_count", **add) == 3
        assert scrape.sample(f"{name}_bucket", le="+Inf", **add) == 3
        assert scrape.sample(f"{name}_bucket", le="0.001", **add) <= 3
        assert scrape.sample(f"{name}_sum", **add) > 0


def test_outcomes_are_counted_by_function_and_those_beyond_the_setting_together(
    scrape: Scrape,
) -> None:
    add = {"pool": "cpu", "function": "web_functions.add"}
    assert scrape.sample("pooldeck_tasks_submitted_total", **add) == 3
    assert scrape.sample("pooldeck_tasks_ended_total", state="succeeded", **add) == 3
    other = {"pool": "cpu", "function": "other"}
    assert scrape.sample("pooldeck_tasks_ended_total", state="succeeded", **other) == 2
    assert scrape.sample("pooldeck_tasks", state="succeeded", **other) == 2
    assert scrape.sample("pooldeck_reruns_total", **other) == 1
    assert scrape.sample("pooldeck_task_run_seconds_count", **other) == 3  # flaky ran twice
    functions = {
        sample.labels["function"]
        for family in scrape.text.values()
        for sample in family.samples
        if "function" in sample.labels
    }
    assert len(functions) == 4


def test_errors_and_deaths_are_told_apart_by_kind(scrape: Scrape) -> None:
    assert scrape.sample("pooldeck_attempt_errors_total", pool="io", kind="exception") == 1
    assert scrape.sample("pooldeck_attempt_errors_total", kind="crashed") == 1
    assert scrape.sample("pooldeck_worker_deaths_total", kind="SIGKILL") == 1


def test_slots_workers_and_states_of_pools_add_up(busy: Served) -> None:
    def settled() -> Scrape | None:
        text = busy.http.get("/metrics").text
        found = Scrape({family.name: family for family in text_format(text)}, {})
        is_idle = found.sample("pooldeck_pool_slots", pool="solo", state="busy") == 0
        return found if is_idle else None

    scrape: Scrape = until(settled)
    for name, pool in POOLS.items():
        states = ("busy", "free")
        slots = [scrape.sample("pooldeck_pool_slots", pool=name, state=each) for each in states]
        assert sum(slots) == pool["size"]
        of_pool = {
            sample.labels["state"]: sample.value
            for sample in scrape.text["pooldeck_pool_state"].samples
            if sample.labels["pool"] == name
        }
        assert of_pool["running"] == sum(of_pool.values()) == 1
        assert scrape.sample("pooldeck_pool_queue_limit", pool=name) == 100_000


def test_requests_are_counted_by_the_template_of_their_route(scrape: Scrape) -> None:
    count = "pooldeck_http_requests_total"
    submissions = {"method": "POST", "route": "/api/v1/tasks"}
    assert scrape.sample(count, status="200", **submissions) == 7
    assert scrape.sample(count, method="GET", route="/api/v1/pools/{name}", status="200") == 1
    assert scrape.sample(count, route="other", status="404") == 2
    assert scrape.sample("pooldeck_http_request_duration_seconds_count", **submissions) == 7
    assert scrape.sample("pooldeck_http_connections") >= 1


def test_the_writer_the_loop_the_process_and_the_build_have_figures(scrape: Scrape) -> None:
    assert scrape.sample("pooldeck_commit_duration_seconds_count") > 3
    assert scrape.sample("pooldeck_event_loop_lag_seconds_count") >= 0
    assert scrape.sample("process_resident_memory_bytes") > 1e6
    assert scrape.sample("process_open_fds") > 3
    assert scrape.sample("process_start_time_seconds") > 1e9
    [build] = scrape.text["pooldeck_build_info"].samples
    assert set(build.labels) == {"version", "python", "sqlite"}


def expressions() -> Iterator[str]:
    """Yield everything that the dashboard and the rules ask of Prometheus."""
    board = json.loads(DASHBOARD.read_text())
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (each["expr"] for each in board["annotations"]["list"] if "expr" in each)
    yield from (each["query"]["query"] for each in board["templating"]["list"][1:])
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def names(scrape: Scrape) -> set[str]:
    """Return the names of all series that there may be, with or without one at this moment."""
    found = set()
    for family in scrape.text.values():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
        found |= {f"{family.name}{each}" for each in suffixes.get(family.type, ("",))}
    return found


def test_the_dashboard_and_the_alerts_ask_for_figures_that_there_are(scrape: Scrape) -> None:
    asked = list(expressions())

    assert len(asked) > 60
    assert {name for each in asked for name in NAMED.findall(each)} - names(scrape) == set()
    assert all(NAMED.search(each) or each.startswith("up{") for each in asked)


def test_the_dashboard_and_the_alerts_use_labels_that_there_are(scrape: Scrape) -> None:
    of_target = {"job", "instance"}
    labels: dict[str, set[str]] = {}
    for family in scrape.text.values():
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)

    for each in expressions():
        for name, selector in re.findall(r"\b((?:pooldeck|process)_[a-z_]+)\{([^}]*)\}", each):
            used = set(re.findall(r"(\w+)=", selector)) - of_target
            if name in labels:
                assert used <= labels[name], each
        [by] = re.findall(r"^sum by \(([\w, ]+)\)", each) or [""]
        known = set().union(*(labels.get(name, set()) for name in NAMED.findall(each)))
        if known:
            assert set(re.findall(r"\w+", by)) <= known | of_target, each


def test_the_dashboard_can_be_imported(scrape: Scrape) -> None:
    board = json.loads(DASHBOARD.read_text())

    assert board["id"] is None
    assert board["templating"]["list"][0]["type"] == "datasource"
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels)
    assert all(panel["title"] and panel["targets"] for panel in panels)
    histograms = {family.name for family in scrape.text.values() if family.type == "histogram"}
    drawn = {
        name.removesuffix("_bucket")
        for panel in panels
        for target in panel["targets"]
        for name in NAMED.findall(target["expr"])
    }
    assert histograms <= drawn


def test_the_page_on_monitoring_names_all_figures_and_no_others(scrape: Scrape) -> None:
    named = set(re.findall(r"`(pooldeck_[a-z_]+)[`{]", PAGE.read_text()))
    exist = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in scrape.text.values()
        if family.name.startswith("pooldeck_")
    }

    assert named == exist
