"""The log on the page of a task, in a real browser: its gaps, its colours, lines that grow."""

import re
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import expect

from tests.browser.looking import DESK, LOOKS, PHONE, Open, barriers, submitted
from tests.browser.reading import page, text_of
from tests.support.serving import Serving


@LOOKS
def test_a_log_that_was_too_long_shows_its_ends_and_what_is_missing(
    open_page: Open, shown: Serving, look: dict[str, Any]
) -> None:
    task = shown.run("shown.recite", 10_100)
    opened = open_page(f"/tasks/{task['id']}", **look)
    expect(opened.locator("#log-beginning li").nth(1)).to_contain_text("row 0")
    expect(opened.locator("#log-lines li").last).to_contain_text("the end")
    missing = opened.locator("#left-out").inner_text()
    expect(opened.locator("#left-out")).to_contain_text("lines were left out")
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert barriers(opened) == []
    opened.goto(f"/tasks/{task['id']}?level=ERROR")
    gaps = opened.locator("#log-lines .log-gap")
    expect(gaps).to_have_count(1)
    expect(gaps).to_have_text(f"{missing.split()[0]} lines left out here")
    expect(opened.locator("#log-lines [data-n]")).to_have_count(2)
    assert barriers(opened) == []


@LOOKS
def test_a_terminals_colours_are_colours_and_its_codes_are_nowhere(
    open_page: Open, shown: Serving, look: dict[str, Any]
) -> None:
    task = shown.run("shown.tint")
    opened = open_page(f"/tasks/{task['id']}", **look)
    expect(opened.locator("#log-lines .ansi-green")).to_have_text("PASSED")
    expect(opened.locator("#log-lines .ansi-bold")).to_have_text("FAILED <b>1</b>")
    expect(opened.locator(".error-message .ansi-red")).to_have_text("expected")
    expect(opened.locator(".traceback .ansi-red")).to_have_text("expected")
    plain = opened.locator("#log-lines .message").evaluate("each => getComputedStyle(each).color")
    green = opened.locator("#log-lines .ansi-green").evaluate(
        "each => getComputedStyle(each).color"
    )
    assert plain != green
    assert barriers(opened) == []
    opened.locator("#group").click()
    expect(opened.locator(".group-words")).to_have_text("expected 3, got 4")
    assert barriers(opened) == []
    for path in ("/", "/errors", "/functions", f"/tasks/{task['id']}", f"/tasks?q={task['id']}"):
        text = page(shown.client, path)
        assert "\x1b" not in text
        assert "[0m" not in text
        assert "[32m" not in text


def test_a_line_that_is_not_finished_grows_in_its_place(
    open_page: Open, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.draw", str(flag))
    opened = open_page(f"/tasks/{task_id}", **DESK)
    lines = opened.locator("#log-lines li")
    expect(lines).to_have_count(2)
    expect(lines.nth(0)).to_contain_text("10 % not finished")
    expect(lines.nth(1)).to_contain_text("said after it")
    assert barriers(opened) == []
    flag.with_suffix(".half").touch()
    expect(lines.nth(0)).to_contain_text("50 % not finished")
    flag.touch()
    expect(lines.nth(0)).to_contain_text("100 %")
    expect(opened.locator(".task-state .state")).to_have_text("succeeded")
    expect(opened.locator("[data-open]")).to_have_count(0)
    expect(lines).to_have_count(2)
    expect(opened.locator("#may-lack")).to_have_count(0)


def test_a_line_that_was_never_finished_stays_and_what_may_be_missing_is_said(
    open_page: Open, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.draw", str(flag), timeout=1)
    opened = open_page(f"/tasks/{task_id}", **PHONE)
    expect(opened.locator(".task-state .state")).to_have_text("failed")
    expect(opened.locator("#may-lack")).to_be_visible()
    expect(opened.locator("#log-lines li").first).to_contain_text("10 %")
    assert barriers(opened) == []


def test_the_log_of_a_worker_has_a_page_and_other_names_have_none(
    open_page: Open, shown: Serving, client: httpx.Client
) -> None:
    worker = shown.run("shown.add", 1)["worker"]["id"]
    opened = open_page(f"/workers/{worker}/log", **PHONE)
    expect(opened.locator("h1")).to_have_text(f"Log of worker {worker}")
    expect(opened.locator(".empty")).to_be_visible()
    assert barriers(opened) == []
    assert "There is no worker nobody-1" in text_of(page(client, "/workers/nobody-1/log", 404))
    assert not re.search("worker-log", page(client, f"/tasks/{shown.run('shown.add', 1)['id']}"))


def test_the_logs_of_all_tasks_are_searched_and_a_line_leads_to_its_place(
    open_page: Open, shown: Serving
) -> None:
    task = shown.run("shown.tell", ["before", "a needle in the hay", "after"])
    opened = open_page("/logs", **PHONE)
    opened.get_by_role("searchbox", name="Text").fill("needle in")
    opened.get_by_role("button", name="Search").click()
    found = opened.locator("#found-lines li")
    expect(found).to_have_count(1)
    expect(opened.locator("#looked-at")).to_contain_text("1 line found")
    assert barriers(opened) == []
    found.locator(".log-task").click()
    expect(opened).to_have_url(re.compile(f"/tasks/{task['id']}"))
    expect(opened.locator("#log-lines li:target")).to_contain_text("a needle in the hay")
