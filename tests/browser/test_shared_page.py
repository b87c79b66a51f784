"""The page of shared state: names, holders and waiters, on a desk and on a phone, and its loss."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.looking import DESK, PHONE, barriers, expect_live, submitted, watch
from tests.browser.reading import page_with
from tests.support.serving import Serving, serving


@pytest.fixture(scope="module")
def sharing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve tasks that hold a lock, wait for it, count, and take turns."""
    folder = tmp_path_factory.mktemp("sharing")
    (folder / "sharing.py").write_text(_FUNCTIONS)
    (folder / "pooldeck.toml").write_text('functions = ["sharing"]\n')
    with serving(folder) as server:
        server.wait_until_ready()
        server.run("sharing.count")
        yield server


_FUNCTIONS = '''
import time
from pooldeck import shared, task

@task(pool="io")
def count():
    """Use some of each kind."""
    shared.counter("pages <fetched>").add(12345)
    shared.dict("prices").update({"a": 1, "b": 2})
    shared.rate_limiter("api", per_second=2.5, burst=5).acquire()

@task(pool="cpu")
def hold():
    """Keep a lock."""
    with shared.lock("ledger"):
        time.sleep(600)

@task(pool="io")
def wait():
    """Wait for the lock."""
    with shared.lock("ledger"):
        pass
'''


def test_it_says_who_holds_a_lock_who_waits_and_that_all_is_lost_with_its_process(
    browser: Browser, sharing: Serving
) -> None:
    holding = submitted(sharing, "sharing.hold")
    page_with(sharing.client, "/shared", holding)
    waiting = submitted(sharing, "sharing.wait")
    page_with(sharing.client, "/shared", waiting)
    complaints: list[str] = []
    address = str(sharing.client.base_url).rstrip("/")

    for look in (DESK, PHONE):
        page = browser.new_context(base_url=address, **look).new_page()
        watch(page, address, complaints)
        page.goto("/shared")
        expect_live(page)
        lock = page.get_by_role("row").filter(has_text="ledger")
        expect(lock.get_by_role("link", name="hold")).to_have_attribute("href", f"/tasks/{holding}")
        expect(lock.get_by_role("link", name="wait")).to_have_attribute("href", f"/tasks/{waiting}")
        expect(page.locator("main")).to_contain_text("at most as long as this run of the server")
        counter = page.get_by_role("row").filter(has_text="pages <fetched>")
        expect(counter).to_contain_text("12,345")
        expect(page.get_by_role("row").filter(has_text="prices")).to_contain_text("2 entries")
        expect(page.get_by_role("row").filter(has_text="api")).to_contain_text("2.5")
        assert barriers(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    os.kill(sharing.client.get("/api/v1/shared").json()["pid"], signal.SIGKILL)
    lost = page.locator("#shared .problem")
    expect(lost).to_contain_text("everything that was shared is lost", timeout=20_000)
    expect(counter).to_have_count(0)
    assert barriers(page) == []
    assert complaints == []


def test_nothing_shared_yet_is_said_with_a_first_example(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.wait_until_ready()
        markup = page_with(server.client, "/shared", "Nothing is shared yet")
    assert '<code>shared.counter("pages").add()</code>' in markup
