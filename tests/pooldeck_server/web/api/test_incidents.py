"""Crashes over HTTP: incidents, holds, and what the server says of its start."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.served import Served, served
from tests.support.watching import until

DIE = "web_functions.die"


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on which one function has taken two workers along, and is on hold."""
    with served(tmp_path_factory.mktemp("crashed"), hold_after=2) as running:
        for number in (signal.SIGKILL, signal.SIGSEGV):
            assert running.submit("die", int(number)).json()["state"] == "failed"
        until(lambda: len(_incidents(running)) == 2 and _incidents(running)[0]["recovered_at"])
        yield running


def _incidents(server: Served, **params: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = server.http.get("/api/v1/incidents", params=params).json()[
        "items"
    ]
    return items


def test_a_crash_is_an_incident_with_its_culprit(crashed: Served) -> None:
    incident, older = _incidents(crashed)
    assert incident["cause"] == "killed by SIGSEGV"
    assert older["cause"].startswith("killed by SIGKILL")
    assert (incident["signal"], incident["exit_code"]) == (signal.SIGSEGV, None)
    assert incident["error_type"] == "BrokenProcessPool"
    assert incident["culprit"]["function"] == DIE
    assert (incident["suspects"], incident["bystanders"]) == ([], [])
    assert "in die" in incident["traceback"]
    assert incident["recovery_ms"] >= 0
    one = crashed.http.get(f"/api/v1/incidents/{incident['id']}")
    assert one.json() == incident
    task = crashed.http.get(f"/api/v1/tasks/{incident['culprit']['task']}").json()
    assert (task["error"]["kind"], task["worker"]["id"]) == ("crashed", incident["worker"])


def test_incidents_are_listed_by_pool_and_in_pages(crashed: Served) -> None:
    assert len(_incidents(crashed, pool="solo")) == 2
    assert _incidents(crashed, pool="io") == []
    first = crashed.http.get("/api/v1/incidents", params={"limit": 1}).json()
    rest = _incidents(crashed, limit=1, cursor=first["next_cursor"])
    assert [*first["items"], *rest] == _incidents(crashed)


def test_an_unknown_incident_is_not_found(crashed: Served) -> None:
    response = crashed.http.get("/api/v1/incidents/none")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_figures_count_incidents_and_holds(crashed: Served) -> None:
    text = crashed.http.get("/metrics").text
    found = {
        (sample.name, sample.labels.get("pool")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["pooldeck_incidents_total", "solo"] == 2
    assert found["pooldeck_incidents_total", "io"] == 0
    assert found["pooldeck_functions_on_hold", None] == 1
    assert ("pooldeck_pool_spare", "solo") in found


def test_a_function_that_keeps_killing_workers_is_refused_until_it_is_released(
    crashed: Served,
) -> None:
    refused = crashed.submit("die", int(signal.SIGTERM))
    assert (refused.status_code, refused.json()["code"]) == (429, "function_on_hold")
    assert int(refused.headers["retry-after"]) > 0
    hold = crashed.http.get(f"/api/v1/functions/{DIE}").json()["hold"]
    assert hold["deaths"] == 2
    assert DIE in hold["reason"]
    assert hold["since"].endswith("Z")
    released = crashed.http.post(f"/api/v1/functions/{DIE}/release")
    assert (released.status_code, released.json()["hold"]) == (200, None)
    again = crashed.http.post(f"/api/v1/functions/{DIE}/release")
    assert (again.status_code, again.json()["code"]) == (404, "not_found")
    assert crashed.submit("die", int(signal.SIGKILL)).json()["state"] == "failed"


def test_the_server_says_what_its_start_found(server: Served) -> None:
    said = server.http.get("/api/v1/server").json()
    assert (said["version"], said["state"]) == ("0.1.0", "ready")
    assert said["last_start"]["was_clean"] is True
    assert said["last_start"]["lost"] == 0
    assert said["started_at"].endswith("Z")


def test_the_report_shows_what_the_culprit_had_been_given(crashed: Served) -> None:
    incident = next(each for each in _incidents(crashed) if each["signal"] == signal.SIGSEGV)
    page = crashed.http.get(f"/incidents/{incident['id']}", headers={"accept": "text/html"}).text
    given = page.partition('id="given"')[2].partition("</section>")[0]
    assert f'href="/tasks/{incident["culprit"]["task"]}"' in given
    assert f'<span class="json-number">{int(signal.SIGSEGV)}</span>' in given


def test_an_incident_tells_what_was_seen_of_the_worker_before_its_end(crashed: Served) -> None:
    def worker() -> dict[str, Any]:
        pool = crashed.http.get("/api/v1/pools/solo").json()
        return next((each for each in pool["workers"] if each["state"] == "idle"), {})

    until(lambda: worker().get("rss_bytes"))
    seen = worker()
    os.kill(seen["pid"], signal.SIGKILL)
    until(lambda: _incidents(crashed)[0]["worker"] == seen["id"])
    incident = _incidents(crashed)[0]
    assert incident["vitals"]
    assert all(each["rss_bytes"] > 0 for each in incident["vitals"])
    ages = [each["before"] for each in incident["vitals"]]
    assert ages == sorted(ages, reverse=True)
