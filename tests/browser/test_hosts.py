"""Hosts in a real browser: what is known of them as it changes, and what ends them asks first."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import DESK, LOOKS, PHONE, barriers, expect_live, watch
from tests.support.served_hosts import ServedHosts, served_hosts

CHINESE: dict[str, Any] = PHONE | {"locale": "zh-CN"}


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHosts]:
    """A server, and the hosts a and b; another one is refused."""
    with served_hosts(tmp_path_factory.mktemp("hosts"), "a", "b") as found:
        found.start("stranger", POOLDECK_TOKEN="made-up-and-wrong")
        found.is_in("stranger", "refused")
        yield found


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What consoles complained of, and which other servers were asked: nothing, in the end."""
    found: list[str] = []
    yield found
    assert found == []


def opened(browser: Browser, there: ServedHosts, complaints: list[str], **look: Any) -> Page:
    address = f"http://127.0.0.1:{there.server.port}"
    page = browser.new_context(base_url=address, **look).new_page()
    watch(page, address, complaints)
    return page


@LOOKS
def test_hosts_stand_on_the_page_of_pools_and_keep_nobody_out(
    browser: Browser, there: ServedHosts, complaints: list[str], look: dict[str, Any]
) -> None:
    page = opened(browser, there, complaints, **look)
    page.goto("/pools")
    expect_live(page)
    hosts = page.locator("#hosts-big")
    expect(hosts.get_by_role("row").filter(has_text="stranger")).to_contain_text("Its token")
    expect(hosts.get_by_role("row").filter(has_text="attached")).to_have_count(2)
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()


def test_hosts_are_spoken_of_in_chinese(
    browser: Browser, there: ServedHosts, complaints: list[str]
) -> None:
    page = opened(browser, there, complaints, **CHINESE)
    page.goto("/pools")
    hosts = page.locator("#hosts-big")
    expect(hosts.get_by_role("row").filter(has_text="已连接")).to_have_count(2)
    expect(hosts.get_by_role("row").filter(has_text="被拒绝")).to_contain_text("stranger")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()


def test_the_deck_says_without_a_reload_that_a_host_is_not_heard_of_and_is_back(
    browser: Browser, there: ServedHosts, complaints: list[str]
) -> None:
    task = there.block()
    host = task["worker"]["host"]
    page = opened(browser, there, complaints, **DESK)
    page.goto("/")
    expect_live(page)
    card = page.locator('[data-pool="big"]')
    tile = card.locator(".worker").filter(has_text=f"{host}-")
    expect(card.locator('[data-field="hosts"]')).to_have_text("2 hosts")
    there.stop(host)
    try:
        expect(card.locator('[data-field="hosts"]')).to_have_text(
            f"2 hosts, no contact with {host}"
        )
        expect(tile.locator('[data-field="state"]')).to_have_text("no contact")
        expect(page.locator(".notices")).to_contain_text("1 task may run on there")
    finally:
        there.go_on(host)
    expect(card.locator('[data-field="hosts"]')).to_have_text("2 hosts")
    expect(tile.locator('[data-field="state"]')).to_have_text("busy")
    there.http.post(f"/api/v1/tasks/{task['id']}/cancel", json={"kill": True})
    page.context.close()


def test_ending_a_host_asks_first_and_its_reason_is_kept(
    browser: Browser, there: ServedHosts, complaints: list[str]
) -> None:
    page = opened(browser, there, complaints, **PHONE)
    page.goto("/pools")
    page.get_by_role("link", name="End b").click()
    expect(page.get_by_role("link", name="Back, change nothing")).to_be_focused()
    page.get_by_label("Reason").fill("it burns")
    page.get_by_role("button", name="End host").click()
    expect(page.locator("#big .flash")).to_contain_text("The host was ended")
    expect(page.locator("#lately-big")).to_contain_text("b was ended by hand it burns")
    expect(page.locator("#hosts-big")).to_contain_text("it ended, and said so")
    page.context.close()
