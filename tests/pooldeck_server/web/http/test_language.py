"""The language of a request: what was chosen, else what the browser asks for."""

from collections.abc import Iterator

import httpx
import pytest

from pooldeck_server.web.http.language import COOKIE, accepted
from pooldeck_server.web.http.redirects import own_path
from pooldeck_server.web.text.i18n import language, speaking
from tests.support.no_tls import NO_TLS
from tests.support.served import Served


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh", "zh-Hans"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("zh-Hant-TW", "zh-Hans"),
        ("ZH-cn", "zh-Hans"),
        ("en;q=0.5, zh-Hans;q=0.8", "zh-Hans"),
        ("de,fr;q=0.9,zh;q=0.1", "zh-Hans"),
        ("zh;q=0", "en"),
        ("en,zh", "en"),
        ("zh,en", "zh-Hans"),
        ("de, *;q=0.5", "en"),
        ("zh;q=high", "en"),
        (";q=,,;=", "en"),
        ("x" * 100_000, "en"),
    ],
)
def test_the_language_liked_best_of_those_there_are(header: str, name: str) -> None:
    assert accepted(header) == name


def test_a_language_is_spoken_for_as_long_as_it_is_asked_for() -> None:
    with speaking("zh-Hans"):
        assert language.get() == "zh-Hans"
        with speaking("tlh"):
            assert language.get() == "en"
    assert language.get() == "en"


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/tasks?state=failed", "/tasks?state=failed"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("", "/"),
        ("/../evil", "/"),
        ("/tasks/%2e%2E/../evil", "/"),
        ("/tasks/..\\evil", "/"),
        ("/tasks?q=a/../b", "/tasks?q=a/../b"),
    ],
)
def test_a_form_leads_to_paths_of_this_server_only(wanted: str, path: str) -> None:
    assert own_path(wanted) == path


@pytest.fixture
def reader(server: Served) -> Iterator[httpx.Client]:
    """Return a client that keeps cookies of its own."""
    with httpx.Client(base_url=server.http.base_url, timeout=30, verify=NO_TLS) as client:
        yield client


def spoken(answer: httpx.Response) -> str:
    """Return the language of a page, which its head and its headers agree on."""
    name: str = answer.headers["content-language"]
    assert f'<html lang="{name}" ' in answer.text
    return name


def test_a_page_comes_in_the_language_of_the_browser(reader: httpx.Client) -> None:
    chinese = reader.get("/tasks", headers={"accept-language": "zh-CN"})
    assert spoken(chinese) == "zh-Hans"
    assert {"accept-language", "cookie"} <= set(chinese.headers["vary"].split(", "))
    assert spoken(reader.get("/tasks", headers={"accept-language": "fr"})) == "en"


def test_a_chosen_language_stays_and_beats_the_browser(reader: httpx.Client) -> None:
    assert 'name="language" value="zh-Hans"' in reader.get("/tasks?state=failed").text
    form = {"language": "zh-Hans", "next": "/tasks?state=failed"}
    answer = reader.post("/language", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/tasks?state=failed")
    assert "SameSite=strict" in answer.headers["set-cookie"]
    assert spoken(reader.get("/", headers={"accept-language": "en"})) == "zh-Hans"
    reader.post("/language", data={"language": "en", "next": "/"})
    assert spoken(reader.get("/", headers={"accept-language": "zh"})) == "en"


def test_a_language_that_there_is_not_is_not_kept(reader: httpx.Client) -> None:
    reader.post("/language", data={"language": "tlh", "next": "//evil.example"})
    assert reader.cookies[COOKIE] == "en"
    assert spoken(reader.get("/", headers={"cookie": f"{COOKIE}=<script>"})) == "en"


def test_an_error_page_speaks_it_too(reader: httpx.Client) -> None:
    answer = reader.get("/tasks/nothing", headers={"accept-language": "zh"})
    assert answer.status_code == 404
    assert spoken(answer) == "zh-Hans"


def test_an_address_that_leads_nowhere_is_a_page_for_people(reader: httpx.Client) -> None:
    answer = reader.get("/nowhere", headers={"accept": "text/html", "accept-language": "zh"})
    assert answer.status_code == 404
    assert spoken(answer) == "zh-Hans"
    assert "/nowhere" in answer.text
    assert reader.get("/nowhere").json()["code"] == "not_found"


def test_somebody_who_is_not_logged_in_can_choose(locked: Served) -> None:
    answer = locked.http.post("/language", data={"language": "zh-Hans", "next": "/login"})
    assert answer.status_code == 303
    page = locked.http.get("/login", headers={"cookie": f"{COOKIE}=zh-Hans"})
    assert spoken(page) == "zh-Hans"


def test_programs_are_answered_in_english(reader: httpx.Client) -> None:
    answer = reader.get("/api/v1/tasks/nothing", headers={"accept-language": "zh"})
    assert answer.json()["detail"].isascii()
