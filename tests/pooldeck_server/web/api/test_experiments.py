"""Experiments over HTTP: begun, followed, stopped and refused by programs, and made by people."""

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pooldeck_server.cli import main
from tests.support.served import Served, served

LONG = 60.0  # seconds that an experiment may take on a busy machine
API = "/api/v1/experiments"
SMALL = {
    "function": "web_functions.add",
    "samples": [{"args": [1]}, {"kwargs": {"a": 1, "b": 2}}],
    "sizes": {"thread": [1, 2], "process": [1]},
    "seconds": 0.2,
    "warmup": 0,
}
ENDLESS = SMALL | {"sizes": {"thread": list(range(1, 20))}, "seconds": 5}


@pytest.fixture(scope="module")
def trying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own: only one experiment runs at a time."""
    with served(tmp_path_factory.mktemp("trying")) as running:
        yield running


def ended(http: httpx.Client, experiment_id: str) -> dict[str, Any]:
    until = time.monotonic() + LONG
    while (found := http.get(f"{API}/{experiment_id}").json())["state"] == "running":
        assert time.monotonic() < until, found
        time.sleep(0.05)
    return dict(found)


def post(http: httpx.Client, path: str, **values: str) -> httpx.Response:
    """Send a form as a browser does."""
    headers = {"origin": str(http.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
    return http.post(path, data=values, headers=headers)


@pytest.fixture(scope="module")
def one(trying: Served) -> dict[str, Any]:
    """An experiment that has finished."""
    for _ in range(3):  # where the machine stands still for most of a step, that did nothing
        begun = trying.http.post(API, json=SMALL)
        assert begun.status_code == 202, begun.text
        assert begun.headers["location"] == f"{API}/{begun.json()['id']}"
        found = ended(trying.http, begun.json()["id"])
        if all(step["throughput"] for step in found["steps"]):
            break
    return found


def test_an_experiment_tells_what_each_size_did(one: dict[str, Any]) -> None:
    assert one["state"] == "finished"
    assert [(step["kind"], step["size"]) for step in one["steps"]] == [
        ("thread", 1),
        ("thread", 2),
        ("process", 1),
    ]
    for step in one["steps"]:
        assert step["throughput"] > 0
        assert 0 < step["p50"] <= step["p95"]
        assert step["rss_bytes"] > 0
        assert step["errors"] == 0
    assert one["steps"][0]["efficiency"] == 1
    assert {scaling["kind"] for scaling in one["scalings"]} == {"thread", "process"}


def test_it_concludes_in_one_sentence_of_english(one: dict[str, Any]) -> None:
    best = one["recommended"]

    assert re.match(rf"{best['size']} (thread|process)", one["conclusion"])
    assert "calls a second" in one["conclusion"]
    assert one["conclusion"].endswith(".")
    assert one["conclusion"].count(". ") == 0


def test_experiments_are_listed_by_function(trying: Served, one: dict[str, Any]) -> None:
    def ids(**query: str) -> list[str]:
        return [item["id"] for item in trying.http.get(API, params=query).json()["items"]]

    assert one["id"] in ids()
    assert one["id"] in ids(function="web_functions.add")
    assert ids(function="web_functions.echo") == []


def test_a_second_one_is_refused_until_the_first_has_been_stopped(trying: Served) -> None:
    http = trying.http
    running = http.post(API, json=ENDLESS).json()
    refused = http.post(API, json=SMALL)
    stopped = http.post(f"{API}/{running['id']}/stop").json()

    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert refused.json()["experiment"] == running["id"]
    assert (stopped["state"], stopped["ended_by"]) == ("stopped", "person")
    assert http.get(f"{API}/{running['id']}").json() == stopped


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"samples": None}, "/samples", "not declared idempotent"),
        ({"samples": []}, "/samples", "length"),
        ({"samples": [{"args": {}}]}, "/samples/0/args", "array"),
        ({"samples": [{"args": ["x"]}]}, None, "is not an integer"),
        ({"sizes": {}}, "/sizes", "at least one"),
        ({"sizes": {"thread": [0]}}, "/sizes/thread/0", ">= 1"),
        ({"sizes": {"thread": [201]}}, "/sizes/thread/0", "<= 200"),
        ({"sizes": {"fibre": [1]}}, "/sizes/fibre", "no such field"),
        ({"seconds": 0.01}, "/seconds", ">= 0.2"),
        ({"seconds": 61}, "/seconds", "<= 60"),
        ({"function": "web_functions.nothing"}, None, "no function"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_the_field(
    trying: Served, change: dict[str, Any], field: str | None, words: str
) -> None:
    answer = trying.http.post(API, json=SMALL | change)

    assert answer.status_code == 422
    problem = answer.json()
    assert words in problem["detail"]
    if field is not None:
        assert problem["field"] == field


def test_an_unknown_experiment_is_not_found(trying: Served) -> None:
    for method, path in (("GET", "none"), ("POST", "none/stop")):
        answer = trying.http.request(method, f"{API}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_page_of_an_experiment_has_its_conclusion_and_its_figures(
    trying: Served, one: dict[str, Any]
) -> None:
    page = trying.http.get(f"/experiments/{one['id']}").text

    assert one["conclusion"] in page
    assert page.count("data-size=") == len(one["steps"])
    assert 'id="experiment-data"' in page
    assert 'data-refresh="never"' in page
    listed = trying.http.get("/experiments").text
    assert f'href="/experiments/{one["id"]}"' in listed


def test_an_experiment_is_begun_and_stopped_with_forms(trying: Served) -> None:
    form = trying.http.get("/experiments/new", params={"function": "web_functions.add"}).text
    assert "&#34;a&#34;: 1" in form.replace(":1", ": 1")  # an argument that fits the signature

    begun = post(
        trying.http,
        "/experiments",
        function="web_functions.add",
        source="given",
        samples='[{"args": [1, 2]}]',
        thread="1, 2 4;8",
        process="",
        seconds="5",
        warmup="0",
    )
    assert begun.status_code == 303, begun.text
    where = begun.headers["location"]
    running = trying.http.get(f"/api/v1{where}").json()
    assert running["plan"]["sizes"] == {"thread": [1, 2, 4, 8]}
    assert 'data-refresh="always"' in trying.http.get(where).text
    stopped = post(trying.http, f"{where}/stop")
    assert stopped.headers["location"] == f"{where}?did=stopped"
    assert "was stopped" in trying.http.get(stopped.headers["location"]).text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("samples", "[1, 2", "this is not JSON"),
        ("samples", '[{"args": ["x"]}]', "is not an integer"),
        ("thread", "1, two", "whole numbers"),
        ("thread", "999", "200"),
        ("seconds", "long", "is not a number"),
        ("seconds", "nan", "seconds"),
    ],
)
def test_a_form_that_cannot_be_read_comes_back_with_what_was_typed(
    trying: Served, field: str, value: str, words: str
) -> None:
    values = {"function": "web_functions.add", "source": "given", "samples": '[{"args": [1]}]'}

    answer = post(trying.http, "/experiments", **(values | {field: value}))

    assert answer.status_code in {400, 422}
    assert words in answer.text
    assert value.replace('"', "&#34;") in answer.text


def test_the_command_prints_the_table_and_ends_with_the_conclusion(
    trying: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--sample", "[1]", "--threads", "1,2", "--seconds", "0.2", "--warmup", "0"]
    url = str(trying.http.base_url)
    assert main(["tune", "web_functions.add", "--url", url, *arguments]) == 0
    said = capfd.readouterr()

    lines = said.out.splitlines()
    assert lines[0].split()[:3] == ["kind", "size", "calls/s"]
    assert [line.split()[:2] for line in lines[1:3]] == [["thread", "1"], ["thread", "2"]]
    assert sum("knee" in line for line in lines) == 1
    assert "calls a second" in lines[-1]
    assert "measuring" in said.err

    assert main(["tune", "web_functions.nothing", "--url", url]) == 4
    assert main(["tune", "web_functions.add", "--url", "http://127.0.0.1:1"]) == 3
    assert "pooldeck serve" in capfd.readouterr().err
