"""Functions and their form, as a browser without JavaScript gets them."""

import html
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.looking import Open
from tests.browser.reading import page, page_with, post, text_of
from tests.support.serving import Serving
from tests.support.waiting import eventually


@pytest.fixture(scope="module", autouse=True)
def _ran(shown: Serving) -> None:
    """Let functions run whose times are looked at later: the history has them after ten seconds."""
    for seconds in (0.02, 0.02, 0.3):
        shown.run("shown.nap", seconds)
    shown.run("shown.fail", "a word")


def test_functions_are_listed_with_what_is_wrong_with_them(client: httpx.Client) -> None:
    words = text_of(page(client, "/functions"))
    assert "add (left: int, right: int = 2) -> int Add two numbers." in words
    assert words.count("cannot be said yet") <= 1
    assert 'there is no pool "nowhere"' in words
    stranded = page(client, "/functions/shown.stranded")
    assert "It cannot be submitted" in text_of(stranded)
    assert 'action="/functions/shown.stranded"' not in stranded


def test_the_order_of_the_list_is_chosen_by_links_that_keep_what_is_searched(
    client: httpx.Client, shown: Serving
) -> None:
    shown.run("shown.fail", "a word")
    markup = page(client, "/functions?q=shown")
    assert 'href="/functions?q=shown&amp;sort=last"' in markup
    assert re.findall(r'<th scope="rowgroup"[^>]*>([^<]*)<', markup) == ["shown"]
    by_name = re.findall(r'id="function-([\w.]+)"', markup)
    assert by_name == sorted(by_name)

    def first(order: str) -> str:
        answer = page(client, f"/functions?sort={order}")
        return str(re.findall(r'id="function-([\w.]+)"', answer)[0])

    eventually(lambda: first("failures") != by_name[0], "one that fails is first")
    ran = {each["function"] for each in client.get("/api/v1/tasks").json()["items"]}
    eventually(lambda: first("last") in ran, "one that ran is first")
    assert 'type="hidden" name="sort" value="run"' in page(client, "/functions?sort=run")


def test_a_form_submits_the_call_that_was_meant(client: httpx.Client) -> None:
    answer = post(
        client,
        "/functions/shown.choose",
        **{"arg.mode": '"fill"', "arg.rest": "[1, 2]", "arg.more": '{"z": 3}', "tags": "a, b"},
    )
    assert answer.status_code == 303
    task = ended(client, answer.headers["location"])
    assert task["tags"] == ["a", "b"]
    assert task["result"] == {
        "mode": "fill",
        "sharp": False,
        "boxes": None,
        "title": "none",
        "rest": [1, 2],
        "more": {"z": 3},
    }


def ended(client: httpx.Client, page_path: str) -> dict[str, Any]:
    task: dict[str, Any] = client.get(f"/api/v1{page_path}", params={"wait": 60}).json()
    return task


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"arg.left": "two", "arg.right": "3"}, "arg-left", "two is not a whole number."),
        ({"arg.left": "2", "arg.right": "1.5"}, "arg-right", "1.5 is not a whole number."),
        ({"arg.left": "2", "priority": "900"}, "priority", "100"),
        ({"arg.left": "2", "delay": "-1"}, "delay", "0"),
    ],
)
def test_a_mistake_is_named_beside_its_field_and_nothing_typed_is_lost(
    client: httpx.Client, values: dict[str, str], field: str, words: str
) -> None:
    answer = post(client, "/functions/shown.add", **values)
    assert answer.status_code == 422
    markup = " ".join(answer.text.split())
    wrong = markup[markup.index(f'<label for="{field}"') :].split("</p>")[0]
    assert 'aria-invalid="true"' in wrong
    assert words in text_of(wrong)
    for value in values.values():
        assert f'value="{value}"' in markup


def test_what_only_the_schema_forbids_is_named_beside_its_field_too(client: httpx.Client) -> None:
    answer = post(client, "/functions/shown.tell", **{"arg.lines": "[1]"})
    assert answer.status_code == 422
    (field,) = re.findall(r'<textarea id="arg-lines"[^>]*>', answer.text)
    assert 'aria-invalid="true"' in field
    assert ">[1]</textarea>" in answer.text


def test_a_task_can_be_submitted_again_from_a_form_that_is_filled_in(
    client: httpx.Client, shown: Serving
) -> None:
    task = shown.run("shown.add", 31, 11)
    (href,) = re.findall(r'id="again" href="([^"]*)"', page(client, f"/tasks/{task['id']}"))
    markup = page(client, html.unescape(href))
    assert 'value="31"' in markup
    assert 'value="11"' in markup


def test_a_form_from_another_site_is_refused(client: httpx.Client) -> None:
    headers = {"origin": "http://elsewhere.example"}
    answer = client.post("/functions/shown.add", data={"arg.left": "1"}, headers=headers)
    assert answer.status_code == 403


def test_run_times_and_failures_of_a_function_can_be_read_as_a_table(client: httpx.Client) -> None:
    for right in ("1", "2"):
        answer = post(client, "/functions/shown.add", **{"arg.left": "1", "arg.right": right})
        ended(client, answer.headers["location"])
    markup = page_with(client, "/functions/shown.add?period=6h", "run-times-table")
    words = text_of(markup)
    assert "How long runs took" in words
    assert re.search(r"As a table From Ended Failed p50 p95 p99 \d{4}-", words)
    assert 'href="/functions/shown.add?period=7d#run-times"' in markup


def test_run_times_are_drawn_with_their_percentiles_trend_failures_and_restarts(
    open_page: Open, shown: Serving
) -> None:
    page_with(shown.client, "/functions/shown.fail?period=6h", "run-times-table")
    page = open_page("/functions/shown.fail?period=6h")
    drawn = page.locator("#run-times-drawn")
    expect(drawn.locator(".facts")).to_contain_text(re.compile(r"Failed\s*[\d,]+ \(\d+ %\)"))
    failures = drawn.locator(".failed-bars .failures")
    expect(failures).to_have_attribute("d", re.compile(r"^M[\d.]+,40v-\d"))
    page.goto("/functions/shown.nap?period=6h")
    spread, trend = drawn.locator(".spread svg"), drawn.locator(".trend svg").first
    expect(spread.locator(".bar").first).to_be_visible()
    expect(spread.locator(".bar title").first).to_have_text(re.compile(r"\d took .* to .*"))
    for name in ("p50", "p95", "p99"):
        expect(drawn.locator(".facts")).to_contain_text(re.compile(rf"{name}\s*[\d.]+ m?s"))
        expect(spread).to_contain_text(name)
        line = trend.locator(f'.line[data-of="{name}"]')
        expect(line).to_have_attribute("d", re.compile(r"^M[\d.]+,[\d.]+h1"))
    expect(trend.locator('.event[data-kind="start"]')).to_have_count(1)
    expect(drawn.locator(".trend-marks")).to_contain_text("server started")
    page.get_by_role("link", name="7 days").click()
    expect(page).to_have_url(re.compile(r"period=7d#run-times$"))
    expect(spread.locator(".bar").first).to_be_visible()


def test_a_pool_says_what_a_size_would_mean_without_javascript(client: httpx.Client) -> None:
    words = text_of(page(client, "/pools?pool=cpu&size=7"))
    assert "7 processes, " in words
    assert "What would it mean?" in words
    assert 'value="7"' in page(client, "/pools?pool=cpu&size=7")
    assert "7 processes, " not in text_of(page(client, "/pools?pool=cpu&size=x"))
