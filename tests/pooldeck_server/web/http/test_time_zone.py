"""The time zone of pages: chosen by a form, kept by the browser, the API left in UTC."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.no_tls import NO_TLS, PATIENCE
from tests.support.served import Served

BROWSER = {"pooldeck-browser-zone": "Asia:Shanghai"}


@pytest.fixture
def reader(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.http.base_url, timeout=PATIENCE, verify=NO_TLS) as reader:
        yield reader


def _zone(reader: httpx.Client, path: str = "/tasks") -> str:
    page = reader.get(path)
    assert page.status_code == 200
    return page.text.split('data-zone="')[1].split('"')[0]


def test_times_are_in_utc_until_the_browser_has_said_where_it_is(reader: httpx.Client) -> None:
    assert _zone(reader) == "UTC"
    reader.cookies.update(BROWSER)
    assert _zone(reader) == "Asia/Shanghai"


def test_a_choice_goes_before_the_zone_of_the_browser_and_is_taken_back(
    reader: httpx.Client,
) -> None:
    reader.cookies.update(BROWSER)
    form = {"zone": "other", "other": "Europe/Berlin", "next": "/errors?sort=count"}
    answer = reader.post("/time-zone", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/errors?sort=count")
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert _zone(reader) == "Europe/Berlin"
    reader.post("/time-zone", data={"zone": "local"})
    assert _zone(reader) == "Asia/Shanghai"
    reader.post("/time-zone", data={"zone": "UTC"})
    assert _zone(reader) == "UTC"


def test_what_is_no_zone_is_refused_and_what_a_cookie_says_of_one_is_not_believed(
    reader: httpx.Client,
) -> None:
    answer = reader.post("/time-zone", data={"zone": "Mars/Phobos"})
    assert answer.status_code == 422
    assert "There is no time zone &#34;Mars/Phobos&#34;" in answer.text
    assert (
        reader.post("/time-zone", data={"zone": "UTC", "next": "//evil.example"}).headers[
            "location"
        ]
        == "/"
    )
    reader.cookies.clear()
    reader.cookies.set("pooldeck-browser-zone", "..:..:etc:passwd")
    assert _zone(reader) == "UTC"


def test_a_time_that_clocks_skip_or_show_twice_is_refused_with_words(reader: httpx.Client) -> None:
    asked = {"zone": "Europe/Berlin", "since": "2026-03-29T02:30"}
    assert "does not exist in Europe/Berlin" in reader.get("/tasks", params=asked).text
    twice = reader.get("/timeline", params=asked | {"from": "2026-10-25T02:30"})
    assert "comes twice in Europe/Berlin" in twice.text
    assert reader.get("/tasks", params=asked | {"since": "2026-03-29T03:30"}).status_code == 200


def test_the_api_stays_in_utc(server: Served, reader: httpx.Client) -> None:
    reader.cookies.update(BROWSER)
    task = server.submit("add", 1).json()
    again = reader.get(f"/api/v1/tasks/{task['id']}").json()
    assert again["created_at"] == task["created_at"]
    assert again["created_at"].endswith("Z")
