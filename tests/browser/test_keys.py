"""The keyboard: it reaches every page and goes through lists, but never disturbs who types."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import Open, expect_live, press_at_once
from tests.support.serving import Serving

PAGES = {
    "d": "/",
    "t": "/tasks",
    "l": "/timeline",
    "e": "/errors",
    "i": "/incidents",
    "f": "/functions",
    "p": "/pools",
    "n": "/pipelines",
    "x": "/experiments",
    "s": "/shared",
    "c": "/actions",
    "a": "/alerts",
}


@pytest.fixture
def page(open_page: Open, shown: Serving) -> Page:
    """Open the list of tasks, with some in it."""
    for number in range(3):
        shown.run("shown.add", number)
    page = open_page("/tasks")
    expect_live(page)
    return page


def test_a_question_mark_lists_the_keys_and_escape_closes_the_list(page: Page) -> None:
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_be_hidden()
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    expect(keys.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.body") or page.evaluate(
        "document.activeElement.closest('dialog') !== null"
    ), "the focus left the dialog for the page behind it"
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()


def test_g_and_a_letter_go_to_each_page(page: Page) -> None:
    for letter, path in PAGES.items():
        press_at_once(page, "g", letter)
        expect(page).to_have_url(re.compile(f"{re.escape(path)}$"))
        expect(page.locator('.nav [aria-current="page"]')).to_have_attribute("href", path)
        expect_live(page)


def test_a_letter_alone_goes_nowhere(page: Page) -> None:
    for letter in PAGES:
        page.keyboard.press(letter)
    page.keyboard.press("g")
    page.keyboard.press("z")
    page.keyboard.press("d")
    expect(page).to_have_url(re.compile("/tasks$"))


def test_slash_goes_to_the_search_from_everywhere(page: Page) -> None:
    search = page.locator("main input[name=q]")
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.goto("/incidents")
    expect_live(page)
    page.keyboard.press("/")
    expect(page).to_have_url(re.compile("/tasks#search$"))
    expect(search).to_be_focused()


def test_nobody_who_types_is_disturbed(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("gd?jk/")
    expect(page.locator("main input[name=q]")).to_have_value("gd?jk/")
    expect(page).to_have_url(re.compile("/tasks$"))
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_j_and_k_go_through_a_list_and_enter_opens(page: Page) -> None:
    rows = page.locator("main .list tbody tr")
    page.keyboard.press("j")
    expect(rows.nth(0).locator("a:focus")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(2).locator("a:focus")).to_be_visible()
    page.keyboard.press("k")
    expect(rows.nth(1).locator("a:focus")).to_be_visible()
    href = page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{re.escape(href)}$"))


def test_a_full_stop_pauses_what_is_live(page: Page) -> None:
    page.goto("/timeline")
    expect_live(page)
    live = page.get_by_role("button", name="Live")
    expect(live).to_have_attribute("aria-pressed", "true")
    page.keyboard.press(".")
    expect(live).to_have_attribute("aria-pressed", "false")
    page.keyboard.press(".")
    expect(live).to_have_attribute("aria-pressed", "true")
