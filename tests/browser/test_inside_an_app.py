"""The pages of a server beside an app, shown inside it, with all that scripts do."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import expect_live, watch
from tests.support.beside import MODULE, result_of
from tests.support.running_app import app


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with app(tmp_path_factory.mktemp("app")) as (url, _):
        yield f"{url}/deck"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page of somebody whom the app lets in, which may ask for nothing outside of the mount."""
    context = browser.new_context()
    context.add_cookies([{"name": "user", "value": "me", "url": address}])
    complaints: list[str] = []
    page = context.new_page()
    watch(page, f"{address}/", complaints)
    yield page
    context.close()
    assert complaints == []


def test_the_deck_is_live_and_shows_what_ran(page: Page, address: str) -> None:
    page.goto(f"{address}/")
    expect_live(page)
    assert result_of(address, f"{MODULE}.add", 2, 3, headers={"X-User": "me"}) == 5

    page.goto(f"{address}/tasks")
    expect_live(page)
    expect(page.locator("main")).to_contain_text("add")


def test_forms_are_sent_below_the_mount(page: Page, address: str) -> None:
    page.goto(f"{address}/functions/{MODULE}.add")
    page.locator("form.submit input[name='arg.a']").fill("2")
    page.locator("form.submit input[name='arg.b']").fill("3")
    page.locator("form.submit button.primary").click()
    expect(page.locator("#task-id")).to_be_visible()


def test_whom_the_app_does_not_let_in_sees_no_page(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(f"{address}/")
    assert answer is not None
    assert answer.status == 403
    context.close()
