"""Failures in groups, on the pages of a real server in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import LOOKS, barriers, expect_live, watch
from tests.support.serving import Serving, serving


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Serving]:
    """Serve the functions of shown.py on a store of its own, so that all errors are known."""
    (tmp_path / "pooldeck.toml").write_text('functions = ["shown"]')
    with serving(tmp_path, environment={"PYTHONPATH": str(Path(__file__).parent)}) as server:
        server.wait_until_ready()
        yield server


def opened(browser: Browser, server: Serving, complaints: list[str], **options: object) -> Page:
    address = str(server.client.base_url).rstrip("/")
    page = browser.new_page(base_url=address, **options)  # type: ignore[arg-type]  # any of its own
    watch(page, address, complaints)
    return page


def test_an_error_is_found_marked_as_fixed_heard_of_again_and_retried(
    browser: Browser, failing: Serving
) -> None:
    complaints: list[str] = []
    failing.run("shown.fail", "a ticket")
    failing.run("shown.stumble")
    page = opened(browser, failing, complaints)
    page.goto("/errors")
    expect_live(page)
    rows = page.locator("#error-list tbody tr")
    expect(rows).to_have_count(2)
    lookup = rows.filter(has_text="ValueError")
    expect(lookup).to_contain_text("no place for a ticket")
    expect(lookup).to_contain_text("browser/shown.py:fail")
    expect(rows.filter(has_text="OSError")).to_contain_text("<b>not</b> yet")

    failing.run("shown.fail", "a ticket")
    expect(lookup.locator(".cell-lately")).to_have_text(re.compile(r"2$"))  # without a reload
    lookup.get_by_role("button", name="Mark as fixed").click()
    expect(page.locator(".flash")).to_contain_text("marked as fixed")
    expect(rows).to_have_count(1)

    failing.run("shown.fail", "a ticket")
    notice = page.locator(".notice").filter(has_text="ValueError")
    expect(notice).to_have_count(1)
    page.locator("#notices-fold > summary").click()
    notice.get_by_role("link", name="ValueError", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ValueError")
    expect(page.locator(".group-state").first).to_have_text("returned")
    expect(page.locator(".trace")).to_contain_text("KeyError: 'a ticket'")
    expect_live(page)
    assert barriers(page) == []

    page.get_by_role("link", name="Retry 3 tasks").click()
    page.get_by_role("button", name="Retry 3 tasks").click()
    expect(page.locator(".flash")).to_contain_text("3 queued again")
    page.goto("/errors?sort=count")
    expect(lookup.locator(".cell-lately")).to_have_text(re.compile(r"6$"))
    assert complaints == []
    page.close()


@LOOKS
def test_errors_are_accessible_and_fit(
    browser: Browser, failing: Serving, look: dict[str, Any]
) -> None:
    complaints: list[str] = []
    for word in ("a ticket", "a" * 300, "two\nlines"):
        failing.run("shown.fail", word)
    failing.run("shown.die")
    first, *_ = failing.client.get("/api/v1/errors").json()["items"]
    page = opened(browser, failing, complaints, **look)
    for path in ("/errors", "/errors?state=fixed&function=shown.fail", f"/errors/{first['id']}"):
        page.goto(path)
        expect_live(page)
        assert barriers(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert complaints == []
    page.close()


def test_a_title_is_masked_only_where_its_messages_differ(
    browser: Browser, failing: Serving
) -> None:
    for place in ("seat 7 of 12", "seat 8 of 12"):
        failing.run("shown.fail", place)
    complaints: list[str] = []
    page = opened(browser, failing, complaints)
    page.goto("/errors")
    title = page.locator(".error-words", has_text="seat")
    expect(title).to_have_text("no place for seat # of 12")
    page.locator("#error-list tr", has=title).locator(".error-name a").click()
    expect(page.locator(".group-words")).to_have_text("no place for seat # of 12")
    assert complaints == []
    page.close()
