"""What measurements say, in a real browser: of functions, of pools, and what one click does."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from pooldeck.cpus import usable_cpus
from tests.browser.looking import DESK, LOOKS, barriers, expect_live, watch
from tests.support.serving import Serving, serving

RUNS = 24  # enough to be fairly sure


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server with a function that waits in processes, and with more processes than CPUs."""
    folder = tmp_path_factory.mktemp("advice")
    (folder / "pooldeck.toml").write_text(
        'functions = ["advised"]\n[pools.io]\nkind = "thread"\nsize = 8\n'
        f'[pools.cpu]\nkind = "process"\nsize = {usable_cpus() + 1}\nspare = 0\n'
    )
    with serving(folder, environment={"PYTHONPATH": str(Path(__file__).parent)}) as server:
        server.wait_until_ready()
        yield server


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What consoles complained of, and which other servers were asked: nothing, in the end."""
    found: list[str] = []
    yield found
    assert found == []


def opened(browser: Browser, own: Serving, complaints: list[str], **look: Any) -> Page:
    address = str(own.client.base_url).rstrip("/")
    page = browser.new_context(base_url=address, **look).new_page()
    watch(page, address, complaints)
    return page


def test_an_open_deck_comes_to_list_what_is_misplaced_and_leads_to_why(
    browser: Browser, own: Serving, complaints: list[str]
) -> None:
    page = opened(browser, own, complaints, **DESK)
    page.goto("/")
    expect_live(page)
    listed = page.locator("#misplaced li")
    expect(listed).to_have_count(0)
    batch = [{"function": "advised.fetch"} for _ in range(RUNS)]
    own.client.post("/api/v1/tasks/batch", json={"tasks": batch})
    expect(listed).to_have_count(1, timeout=40_000)
    expect(listed).to_contain_text(re.compile(r"fetch\s+waits\s+cpu →\s*to io\s+\d\.\d times as"))
    listed.get_by_role("link").click()
    advice = page.locator("#advice")
    expect(advice.locator(".verdict")).to_have_text("waits")
    expect(advice).to_contain_text("It belongs in a thread pool, such as io.")
    expect(advice.locator(".shares-legend")).to_contain_text("waiting")
    expect(advice.locator("[data-better]")).to_contain_text("io 8 threads")
    expect(advice.get_by_role("table")).to_be_hidden()
    advice.get_by_text("The numbers behind it").click()
    expect(advice.get_by_role("row").filter(has_text="Runs so far")).to_contain_text(str(RUNS))
    expect(advice.get_by_role("link", name=re.compile("experiment"))).to_have_attribute(
        "href", "/experiments/new?function=advised.fetch"
    )
    page.context.close()


def test_other_pages_announce_it_and_the_list_of_functions_names_the_better_pool(
    browser: Browser, own: Serving, complaints: list[str]
) -> None:
    page = opened(browser, own, complaints, **DESK)
    page.goto("/functions")
    said = page.locator('.notice[data-kind="advice"]')
    expect(said).to_contain_text("fetch would do better in io than in cpu", timeout=40_000)
    row = page.locator("#functions tbody tr").filter(has_text="advised.fetch")
    expect(row.locator(".cell-verdict")).to_contain_text(re.compile(r"waits\s*→better in io"))
    page.goto("/")
    expect_live(page)
    expect(page.locator("#misplaced li")).to_be_visible()
    expect(said).to_be_visible()
    page.context.close()


def test_one_click_gives_a_pool_the_size_that_is_recommended(
    browser: Browser, own: Serving, complaints: list[str]
) -> None:
    page = opened(browser, own, complaints, **DESK)
    page.goto("/pools")
    advice = page.locator("#size-advice-cpu")
    expect(advice).to_contain_text("processes beyond that only take turns")
    advice.get_by_role("button", name=f"Set size to {usable_cpus()}").click()
    expect(page.locator("#cpu .flash")).to_have_text("It has another size now.")
    expect(page.locator("#size-cpu")).to_have_value(str(usable_cpus()))
    expect(advice.get_by_role("button")).to_have_count(0)
    page.context.close()


def test_a_function_that_leaves_its_pool_to_the_server_is_placed_by_hand_and_given_back(
    browser: Browser, own: Serving, complaints: list[str]
) -> None:
    page = opened(browser, own, complaints, **DESK)
    page.goto("/functions/advised.guess")
    chosen = page.get_by_label("Place it in")
    expect(chosen).to_have_value("")
    chosen.select_option("io")
    page.get_by_role("button", name="Place").click()
    expect(page.locator(".flash")).to_contain_text("What is submitted from now on runs there")
    expect(chosen).to_have_value("io")
    task = own.run("advised.guess")
    assert task["pool"] == "io"
    page.goto(f"/tasks/{task['id']}")
    expect(page.locator(".placed")).to_have_text("The function was placed in io by hand.")
    page.goto("/functions/advised.guess")
    chosen.select_option(label="the pool that the server chooses")
    page.get_by_role("button", name="Place").click()
    expect(page.locator("main")).to_contain_text("The server chose cpu")
    page.context.close()


def test_one_click_places_a_function_where_it_is_advised(
    browser: Browser, own: Serving, complaints: list[str]
) -> None:
    page = opened(browser, own, complaints, **DESK)
    page.goto("/functions/advised.linger")
    advice = page.locator("#advice")
    button = advice.get_by_role("button", name="Place it in io")
    expect(button).to_have_count(0)
    batch = [{"function": "advised.linger"} for _ in range(RUNS)]
    own.client.post("/api/v1/tasks/batch", json={"tasks": batch})
    expect(button).to_be_visible(timeout=40_000)
    expect(page.locator("main")).to_contain_text("The server chose cpu")
    expect(advice).to_contain_text("Measurements do not tell whether it works there")
    button.click()
    expect(page.locator(".flash")).to_contain_text("What is submitted from now on runs there")
    expect(page.get_by_label("Place it in")).to_have_value("io")
    expect(button).to_have_count(0)
    assert own.run("advised.linger")["pool"] == "io"
    page.goto("/functions/advised.fetch")  # which names its pool itself
    expect(advice).to_contain_text("It belongs in a thread pool")
    expect(advice.get_by_role("button")).to_have_count(0)
    page.context.close()


@LOOKS
def test_advice_is_accessible_and_fits(
    browser: Browser, own: Serving, complaints: list[str], look: dict[str, Any]
) -> None:
    own.run("advised.fetch")  # at the latest now there is something to say of it
    page = opened(browser, own, complaints, **look)
    for path in ("/", "/functions", "/functions/advised.fetch", "/functions/advised.guess"):
        page.goto(path)
        expect_live(page)
        assert barriers(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.goto("/functions/advised.fetch")
    page.get_by_text("The numbers behind it").click()
    expect_live(page)
    assert barriers(page) == []
    page.context.close()
