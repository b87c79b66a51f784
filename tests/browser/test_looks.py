"""Every page in a real browser: accessible, in both themes, on a desk and on a phone."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import (
    NOTHING_IS_CUT,
    PHONE,
    Open,
    barriers,
    expect_live,
)
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually


def test_on_a_phone_no_table_of_runs_is_cut_and_no_hole_is_between_figures(
    open_page: Open, shown: Serving
) -> None:
    task = shown.run("shown.add", 1)["id"]
    page = open_page("/functions/shown.add", **PHONE)
    expect(page.locator(f"#latest-{task}")).to_be_visible()
    eventually(lambda: bool(page.evaluate(NOTHING_IS_CUT)), "no table is cut")
    page.goto("/")
    ends = page.locator(".figures").first.evaluate(
        """each => [...each.children].map((figure) => {
            return [figure.offsetTop, figure.offsetLeft + figure.offsetWidth];
        })"""
    )
    rows: dict[int, int] = {}
    for top, end in ends:
        rows[top] = max(end, rows.get(top, 0))
    assert len(rows) == 4
    assert max(rows.values()) - min(rows.values()) <= 1  # each goes to the edge, but for rounding


def test_pages_without_the_frame_are_accessible(browser: Browser, tmp_path: Path) -> None:
    token = "a-token-of-the-tests-long-enough"
    with serving(tmp_path, environment={"POOLDECK_TOKEN": token}) as server:
        page = browser.new_page(base_url=str(server.client.base_url))
        page.goto("/incidents/nothing")
        assert barriers(page) == []
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("link", name="Back to the deck")).to_be_visible()
        assert barriers(page) == []
        page.get_by_role("link", name="Back to the deck").click()
        expect_live(page)
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Token")).to_be_visible()
        page.close()


def test_a_chosen_theme_stays_and_system_follows_the_machine(open_page: Open) -> None:
    page = open_page("/", color_scheme="light")
    light = _ground(page)
    page.get_by_label("Theme").select_option("dark")
    dark = _ground(page)
    assert dark != light
    page.reload()
    assert _ground(page) == dark
    expect(page.get_by_label("Theme")).to_have_value("dark")
    page.get_by_label("Theme").select_option("system")
    assert _ground(page) == light
    page.emulate_media(color_scheme="dark")
    assert _ground(page) == dark


def _ground(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def test_the_page_is_true_without_javascript(open_page: Open, shown: Serving) -> None:
    task = shown.run("shown.add", 1)
    page = open_page("/tasks", java_script_enabled=False)
    expect(page.locator(f'[id="task-{task["id"]}"]')).to_be_visible()
    expect(page.locator(".connection")).to_have_text("not live")
    expect(page.get_by_label("Theme")).to_be_hidden()
