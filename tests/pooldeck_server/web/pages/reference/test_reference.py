"""The reference describes each call of the API to those who may make it."""

import html
import re
from collections.abc import Iterator
from importlib import import_module

import httpx
import pytest

from tests.pooldeck_server.web.conftest import TOKEN
from tests.support.no_tls import NO_TLS
from tests.support.served import Served


def called(page: str) -> set[tuple[str, str]]:
    """Return the calls that a page shows, by method and path."""
    found = re.findall(r'data-method="(\w+)">\w+</span> <code>([^<]+)</code>', page)
    return {(method, html.unescape(path)) for method, path in found}


def described(server: Served) -> dict[tuple[str, str], str]:
    document = server.http.get("/openapi.json").json()
    return {
        (method.upper(), path): operation["tags"][0]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def test_every_call_of_the_document_stands_in_the_reference_and_on_the_page_of_its_group(
    server: Served,
) -> None:
    calls = described(server)
    assert called(server.http.get("/docs").text) == calls.keys()
    for group in set(calls.values()):
        page = server.http.get(f"/docs/{group}")
        assert page.status_code == 200
        assert called(page.text) == {call for call, its in calls.items() if its == group}


def test_every_schema_that_a_page_names_is_on_it(server: Served) -> None:
    for group in set(described(server).values()):
        page = server.http.get(f"/docs/{group}").text
        named = set(re.findall(r'href="#schema-(\w+)"', page))
        assert named == set(re.findall(r'id="schema-(\w+)"', page)) & named
        assert len(re.findall(r'id="([^"]+)"', page)) == len(set(re.findall(r'id="([^"]+)"', page)))


def test_a_call_is_described_with_what_it_takes_gives_and_how_it_is_written(server: Served) -> None:
    page = server.http.get("/docs/pools").text
    [call] = re.findall(r'<article class="call" id="change-pool".*?</article>', page, re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", "", call))
    assert "Resize, pause or resume a pool" in text
    assert "whole number or null, at least 1" in text
    assert f"curl -sS -X PATCH http://127.0.0.1:{server.port}/api/v1/pools/NAME" in text
    assert "pooldeck resize" in text


def test_the_example_of_a_submission_is_a_whole_command_and_what_a_client_would_call(
    server: Served,
) -> None:
    page = html.unescape(server.http.get("/docs/tasks").text)
    function = "examples.pictures.resize_image"
    where = f"--url {server.http.base_url}".rstrip("/")
    assert f">pooldeck submit {where} --wait {function} pictures/a.png width=64</pre>" in page
    assert f"future = client.submit({function!r}, 'pictures/a.png', width=64)" in page


def test_the_functions_of_the_examples_are_those_that_pooldeck_comes_with(server: Served) -> None:
    document = server.http.get("/openapi.json").text
    named = set(re.findall(r'"(examples\.[\w.]+)"', document))
    assert named
    for module, _, function in (name.rpartition(".") for name in named):
        assert callable(getattr(import_module(module), function))


def test_the_document_is_there_to_be_downloaded(server: Served) -> None:
    page = server.http.get("/docs").text
    [address] = re.findall(r'<a href="([^"]+)" id="openapi" download', page)
    assert server.http.get(address).json()["openapi"].startswith("3.")


def test_an_unknown_group_is_told_with_those_there_are(server: Served) -> None:
    answer = server.http.get("/docs/nothing", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "tasks, functions" in answer.text


@pytest.fixture(scope="module")
def viewer(locked: Served) -> Iterator[httpx.Client]:
    owner = {"Authorization": f"Bearer {TOKEN}"}
    made = locked.http.post(
        "/api/v1/tokens", json={"name": "reads-the-reference", "role": "viewer"}, headers=owner
    )
    bearer = {"Authorization": f"Bearer {made.json()['secret']}"}
    with httpx.Client(
        base_url=locked.http.base_url, headers=bearer, timeout=60, verify=NO_TLS
    ) as client:
        yield client


def test_only_what_its_reader_may_do_is_there(locked: Served, viewer: httpx.Client) -> None:
    calls = called(viewer.get("/docs").text)
    assert ("GET", "/api/v1/tasks") in calls
    assert {path for method, path in calls if method != "GET"} <= {
        "/api/v1/watches",
        "/api/v1/watches/{watch}",
    }
    assert not any(path.startswith("/api/v1/tokens") for _, path in calls)
    assert viewer.get("/docs/access").status_code == 404
    owner = {"Authorization": f"Bearer {TOKEN}"}
    assert calls < called(locked.http.get("/docs", headers=owner).text)


def test_the_pages_lead_to_the_calls_that_do_the_same(server: Served) -> None:
    for path in ("/", "/tasks", "/timeline", "/functions", "/pools", "/shared", "/actions"):
        [address] = re.findall(r'id="reference" href="([^"]+)"', server.http.get(path).text)
        assert server.http.get(address).status_code == 200
