"""The pages below a path of a host, with all that scripts do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pooldeck_server.web.http.language import COOKIE as LANGUAGE
from tests.browser.looking import expect_live, press_at_once, submitted, watch
from tests.support.below import below_a_path
from tests.support.serving import Serving

_ADDRESSES = """() => {
  const names = ["href", "src", "action", "formaction"];
  const found = [...document.querySelectorAll(names.map((name) => `[${name}]`).join())];
  const values = found.flatMap((each) => names.map((name) => each.getAttribute(name)));
  return values.filter((value) => value?.startsWith("/") && !value.startsWith("/deck/"));
}"""


@pytest.fixture(scope="module")
def address(shown: Serving) -> Iterator[str]:
    """Show the server below a path; return the address of that."""
    port = shown.client.base_url.port
    assert port is not None
    with below_a_path(port) as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that may ask for nothing outside of the path."""
    context = browser.new_context()
    complaints: list[str] = []
    page = context.new_page()
    watch(page, f"{address}/", complaints)
    yield page
    assert page.evaluate(_ADDRESSES) == []
    context.close()
    assert complaints == []


@pytest.mark.parametrize("screen", ["/", "/tasks", "/timeline"])
def test_a_screen_is_live_and_leads_nowhere_else(
    page: Page, address: str, shown: Serving, screen: str
) -> None:
    shown.run("shown.add", 1)
    page.goto(f"{address}{screen}")
    expect_live(page)


def test_tiles_lead_to_their_tasks(page: Page, address: str, shown: Serving, flag: Path) -> None:
    page.goto(f"{address}/")
    expect_live(page)
    task = submitted(shown, "shown.hold", str(flag))
    tile = page.locator(f'a[href="/deck/tasks/{task}"]').first
    tile.click()
    expect(page).to_have_url(f"{address}/tasks/{task}")
    expect_live(page)
    flag.touch()
    expect(page.locator(".task-state")).to_contain_text("succeeded")


def test_a_form_and_the_keys_stay_below_the_path(page: Page, address: str) -> None:
    page.goto(f"{address}/functions")
    page.locator("#find").fill("add")
    expect(page).to_have_url(f"{address}/functions?q=add")
    page.locator('[id="function-shown.add"]').click()
    page.locator("form.submit input[name='arg.left']").fill("1")
    page.locator("form.submit button.primary").click()
    expect(page.locator("#task-id")).to_be_visible()
    page.locator("body").press("/")
    expect(page).to_have_url(f"{address}/tasks#search")
    expect(page.locator("main input[name=q]")).to_be_focused()
    page.locator("#main").focus()
    press_at_once(page, "g", "p")
    expect(page).to_have_url(f"{address}/pools")


def test_the_language_is_chosen_for_this_path_alone(page: Page, address: str) -> None:
    page.goto(f"{address}/tasks?q=a")
    page.get_by_role("button", name="中文").click()
    expect(page).to_have_url(f"{address}/tasks?q=a")
    cookies = {cookie["name"]: cookie["path"] for cookie in page.context.cookies()}
    assert LANGUAGE in cookies
    assert set(cookies.values()) == {"/deck"}
