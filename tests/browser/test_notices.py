"""Notices above every page: folded but on the deck, with what helps, seen by somebody."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import PHONE, Open, barriers, expect_live
from tests.support.serving import Serving


@pytest.fixture
def paused(client: httpx.Client) -> Iterator[None]:
    """Pause a pool for a test."""
    client.patch("/api/v1/pools/io", json={"paused": True})
    yield
    client.patch("/api/v1/pools/io", json={"paused": False})


def line(page: Page) -> None:
    """Unfold the notices."""
    page.locator("#notices-fold > summary").click()


@pytest.mark.usefixtures("paused")
def test_notices_are_one_line_but_on_the_deck_and_each_has_what_helps(open_page: Open) -> None:
    page = open_page("/tasks", **PHONE)
    notice = page.locator('.notice[data-key="paused:io"]')
    expect(page.locator("#notices-fold > summary")).to_contain_text("warning")
    expect(notice).to_be_hidden()
    line(page)
    expect(notice).to_be_visible()
    assert barriers(page) == []
    page.goto("/")
    expect(notice).to_be_visible()
    expect_live(page)
    notice.get_by_role("button", name="Resume: io").click()
    expect(page.locator(".flash")).to_have_text("It hands out what is queued.")
    expect(notice).to_have_count(0)


@pytest.mark.usefixtures("paused")
def test_what_somebody_has_seen_folds_away_everywhere_until_somebody_shows_it_again(
    open_page: Open, client: httpx.Client
) -> None:
    page, other = open_page("/"), open_page("/pools")
    for each in (page, other):
        expect_live(each)
    notice = page.locator('#notices .notice[data-key="paused:io"]')
    notice.get_by_role("button", name="Seen by me: io").click()
    expect(notice).to_have_count(0)  # without leaving the page
    for each in (page, other):
        expect(each.locator("#notices-fold > summary")).to_contain_text("1 seen")
    page.locator("#notices-seen > summary").click()
    seen = page.locator('#notices-seen .notice[data-key="paused:io"]')
    expect(seen).to_contain_text("Seen by anybody")
    (known,) = [
        each for each in client.get("/api/v1/notices").json()["items"] if each["key"] == "paused:io"
    ]
    assert known["seen"]["by"] == "anybody"
    seen.get_by_role("button", name="Show again: io").click()
    expect(notice).to_be_visible()
    expect(page.locator("#notices-seen")).to_have_count(0)


@pytest.mark.usefixtures("paused")
def test_without_javascript_notices_unfold_and_can_be_seen_and_one_stays_on_the_page(
    browser: Browser, shown: Serving
) -> None:
    address = str(shown.client.base_url)
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/errors?state=all")
    line(page)
    key = '.notice[data-key="paused:io"]'
    page.locator(f"#notices {key}").get_by_role("button", name="Seen by me: io").click()
    assert page.url.endswith("/errors?state=all")
    line(page)
    page.locator("#notices-seen > summary").click()
    page.locator(f"#notices-seen {key}").get_by_role("button", name="Show again: io").click()
    expect(page.locator(f"#notices {key}")).to_have_count(1)
    context.close()


def test_a_function_is_paused_on_its_page_and_goes_on_by_the_notice(
    open_page: Open, shown: Serving
) -> None:
    page = open_page("/functions/shown.tell")
    page.get_by_role("link", name="Pause…").click()
    page.get_by_label("Reason").fill("vendor is down")
    page.get_by_role("button", name="Pause it").click()
    expect(page.locator(".flash")).to_contain_text("It is paused")
    expect(page.locator("#hold")).to_contain_text("by anybody: vendor is down")
    task = shown.client.post("/api/v1/tasks", json={"function": "shown.tell", "args": [["x"]]})
    assert task.json()["state"] == "queued"
    page.goto("/")
    notice = page.locator('.notice[data-key^="paused_function"]')
    expect(notice).to_contain_text("vendor is down")
    notice.get_by_role("button", name="Resume: shown.tell").click()
    expect(page.locator(".flash")).to_have_text("It goes on: its tasks run again.")
    page.goto("/functions/shown.tell/hold")
    page.get_by_role("button", name="Put on hold").click()
    notice = page.locator('.notice[data-key^="hold:"]')
    page.goto("/")
    notice.get_by_role("button", name="Release: shown.tell").click()
    expect(notice).to_have_count(0)
    ended = shown.client.get(f"/api/v1/tasks/{task.json()['id']}", params={"wait": 60}).json()
    assert ended["state"] == "succeeded"
