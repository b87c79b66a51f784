"""The deck in a real browser: it shows what happens to pools, workers and tasks as it happens."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.looking import Open, barriers, expect_live, submitted
from tests.support.serving import Serving, serving


def test_the_deck_follows_a_task_from_its_start_to_its_end(
    open_page: Open, shown: Serving, flag: Path
) -> None:
    page = open_page("/")
    expect_live(page)
    loaded = page.evaluate("performance.timeOrigin")
    task_id = submitted(shown, "shown.hold", str(flag))
    slot = page.locator(".slot", has=page.locator(f'a[href="/tasks/{task_id}"]'))
    expect(slot).to_have_attribute("data-state", "busy")
    expect(slot.locator(".slot-task")).to_have_text("hold")
    expect(slot.locator('[data-field="elapsed"]')).to_have_text(re.compile(r"^[1-9]\.\d s$"))
    busy = page.locator('[data-pool="cpu"] [data-field="busy"]')
    expect(busy).to_have_text("1")
    expect(page.locator('[data-field="counts.running"]')).to_have_text("1")
    flag.touch()
    expect(busy).to_have_text("0")
    expect(page.locator('[data-pool="cpu"] .slot[data-state="idle"]')).to_have_count(2)
    assert page.evaluate("performance.timeOrigin") == loaded


def test_the_deck_says_the_same_after_a_frame_as_after_loading(
    open_page: Open, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.wait", str(flag))
    page = open_page("/")
    expect_live(page)
    expect(page.locator(f'#deck a[href="/tasks/{task_id}"]')).to_be_visible()
    live = _shape(page.locator("#deck").inner_html())
    still = open_page("/", java_script_enabled=False)
    assert _shape(still.locator("#deck").inner_html()) == live


def _shape(markup: str) -> str:
    """Return markup without what changes from moment to moment."""
    markup = re.sub(r"\s+", " ", markup)
    changing = "data-elapsed|value|data-usual|data-over|title|data-key|hidden|points|x"
    markup = re.sub(rf' ({changing})="[^"]*"', "", markup)
    return re.sub(r">[^<]*(ms|s|%|MiB|done|min|[\d.,\u2013]+)<", "><", markup).replace("> <", "><")


# What happens to pools and workers, on a page that is open.


def test_a_crash_shows_soon_with_its_cause_and_its_successor(
    open_page: Open, shown: Serving
) -> None:
    page = open_page("/")
    expect_live(page)
    card = page.locator('[data-pool="cpu"]')
    loaded = page.evaluate("performance.timeOrigin")
    page.evaluate(_WATCH_FOR, ".worker.dead")
    died = shown.run("shown.die")
    known = page.evaluate("Date.now()")
    dead = card.locator(".dead")
    expect(dead).to_contain_text("killed by SIGSEGV")
    expect(dead.locator('[data-field="id"]')).to_have_text(died["worker"]["id"])
    assert page.evaluate("window.seenAt") - known < _SOON
    expect(card.locator(".worker-restarts:visible")).not_to_have_count(0)
    assert barriers(page) == []
    expect(page.locator(".happenings")).to_contain_text("killed by SIGSEGV")
    marks = page.locator('.chart-mark[data-note*="SIGSEGV"]')  # near ones are drawn as one
    expect(marks).not_to_have_count(0, timeout=30_000)  # with the stretch that it is in
    expect(dead).to_have_count(0, timeout=15_000)
    assert page.evaluate("performance.timeOrigin") == loaded


_SOON = 3_000  # milliseconds; half a second, where the machine does not pause
_WATCH_FOR = """(selector) => new MutationObserver((_changes, watcher) => {
    if (!document.querySelector(selector)) return;
    window.seenAt = Date.now();
    watcher.disconnect();
}).observe(document.getElementById("deck"), { childList: true, subtree: true })"""


@pytest.fixture
def cpu(shown: Serving) -> Iterator[None]:
    """Leave the pool of processes as it was found."""
    yield
    shown.client.patch("/api/v1/pools/cpu", json={"paused": False, "size": 2})


@pytest.mark.usefixtures("cpu")
def test_a_resize_and_a_pause_show_without_a_reload(open_page: Open, shown: Serving) -> None:
    page = open_page("/?pool=cpu")
    expect_live(page)
    card = page.locator(".pool")
    expect(card).to_have_count(1)
    slots = card.locator(".slot")
    expect(slots).to_have_count(2)
    shown.client.patch("/api/v1/pools/cpu", json={"size": 3})
    expect(slots).to_have_count(3)
    shown.client.patch("/api/v1/pools/cpu", json={"paused": True})
    expect(card.locator('.slot[data-state="paused"]')).to_have_count(3)
    expect(card.locator(".slot-word").first).to_have_text("paused")
    expect(card.locator(".pool-state")).to_have_text("paused")
    expect(page.locator(".happenings")).to_contain_text("cpu: resized from 2 to 3")
    shown.client.patch("/api/v1/pools/cpu", json={"paused": False, "size": 2})
    expect(slots).to_have_count(2)


def test_a_restart_shows_new_workers_without_a_reload(open_page: Open, shown: Serving) -> None:
    page = open_page("/")
    expect_live(page)
    before = shown.client.get("/api/v1/pools/cpu").json()["restarts"]
    shown.client.post("/api/v1/pools/cpu/restart", json={})
    restarts = page.locator('[data-pool="cpu"] .figure [data-field="restarts"]')
    expect(restarts).to_have_text(f"{before + 2} restarts")
    expect(page.locator(".happenings")).to_contain_text("cpu: workers restarted")


def test_what_fails_stands_beside_the_chart_soon_after_it_has(
    open_page: Open, shown: Serving
) -> None:
    page = open_page("/")
    expect_live(page)
    failed = page.locator('[data-pool="cpu"] [data-field="failed"]')
    before = int(failed.text_content() or "0")
    for _ in range(3):
        shown.run("shown.fail", "a place")
    group = page.locator("#failing li", has_text="ValueError")
    expect(group.locator(".failing-words")).to_contain_text("no place for")
    expect(group.locator(".failing-where")).to_contain_text("cpu")
    expect(failed).to_have_text(str(before + 3))
    expect(group.locator(".failing-number")).to_have_text(re.compile(r"^([3-9]|\d\d+)$"))
    assert barriers(page) == []
    group.locator(".failing-number").click()
    expect(page).to_have_url(re.compile(r"/tasks\?group=[0-9a-f]+&since=15m"))
    expect(page.locator("#tasks tbody tr, .list tbody tr").first).to_contain_text("fail")


def test_a_stuck_task_moves_to_the_front_and_is_noticed(
    open_page: Open, shown: Serving, flag: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    there.touch()
    for _ in range(20):
        shown.run("shown.wait", str(there))
    page = open_page("/")
    expect_live(page)
    first = page.locator('[data-pool="io"] .slot').first
    shown.run("shown.wait", str(there))
    blockers = [submitted(shown, "shown.wait", str(flag)) for _ in range(2)]
    expect(page.locator('[data-pool="io"] .slot[data-late]')).to_have_count(2)
    expect(first).to_have_attribute("data-late", "")
    expect(first.locator("progress")).to_have_attribute("data-over", "")
    expect(page.locator(".notice", has_text="2 tasks that run far")).to_be_visible()
    shown.client.post(f"/api/v1/tasks/{blockers[0]}/cancel", json={"kill": True})
    expect(page.locator(".notice", has_text="wait in io-")).to_be_visible()
    expect(page.locator('[data-pool="io"] .slot[data-state="abandoned"]')).to_have_count(1)
    flag.touch()
    expect(page.locator(".notice", has_text="wait in io-")).to_have_count(0)


def test_a_broken_pool_is_said_with_its_reason_and_frames_say_the_same(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "broken_jobs.py").write_text("import nothing_of_that_name")
    with serving(tmp_path, "--functions", "broken_jobs") as server:
        page = browser.new_page(base_url=str(server.client.base_url))
        page.goto("/")
        notices = page.locator(".notice")
        expect(notices).to_have_count(3, timeout=30_000)
        expect(notices.last).to_contain_text("ModuleNotFoundError")
        expect(page).to_have_title("(3) Deck · Pooldeck")  # so many are critical
        expect(page.locator("#favicon")).to_have_attribute("href", re.compile("critical"))
        expect(page.locator('[data-pool="cpu"] .pool-state')).to_have_text("broken")
        page.get_by_text("Why it is broken").first.click()
        expect(page.locator(".pool-reason pre").first).to_contain_text("nothing_of_that_name")
        expect_live(page)
        live = without_spans(notices.all_inner_texts())
        assert barriers(page) == []
        page.close()
        still = browser.new_page(base_url=str(server.client.base_url), java_script_enabled=False)
        still.goto("/")
        assert without_spans(still.locator(".notice").all_inner_texts()) == live
        still.close()


def without_spans(notices: list[str]) -> list[str]:
    """Leave out for how long something has been so: it may change between two looks."""
    return [re.sub(r", for over \S+ \w+ now", "", text) for text in notices]


def test_a_large_pool_is_small_squares_that_open_on_focus(browser: Browser, tmp_path: Path) -> None:
    flag = tmp_path / "go"
    (tmp_path / "pooldeck.toml").write_text(_LARGE)
    environment = {"PYTHONPATH": str(Path(__file__).parent)}
    with serving(tmp_path, environment=environment) as server:
        server.wait_until_ready()
        submitted(server, "shown.wait", str(flag))
        page = browser.new_page(base_url=str(server.client.base_url))
        page.goto("/")
        slot = page.locator('.slot[data-state="busy"]')
        expect(slot).to_have_count(1)
        expect(page.locator(".slot")).to_have_count(70)
        expect(slot.locator(".slot-body")).to_have_css("opacity", "0")
        slot.locator("a").focus()
        expect(slot.locator(".slot-body")).to_have_css("opacity", "1")
        expect(slot.locator(".slot-task")).to_have_text("wait")
        assert barriers(page) == []
        flag.touch()
        page.close()


_LARGE = """
functions = ["shown"]

[pools.io]
kind = "thread"
size = 70
"""

DURATIONS = [None, 0, 0.0004, 0.34, 0.9999, 1, 2.16, 9.99, 14.9, 59.99, 60, 3725, 93_600, -1]
SIZES = [None, 0, 1023, 1024, 1536, 10_240, 220_200_960, 3 * 2**30, 2**50]
AGES = [0, 0.5, 3.7, 59, 200, 7300, 90_000, -90]


def test_a_pool_that_is_new_after_a_restart_appears_and_one_that_is_gone_does_not_stay(
    browser: Browser, tmp_path: Path
) -> None:
    here = {"PYTHONPATH": str(Path(__file__).parent)}
    pool = '[pools.{name}]\nkind = "thread"\nsize = 1\n'
    config = tmp_path / "pooldeck.toml"
    config.write_text('functions = ["shown"]\n' + pool.format(name="io") + pool.format(name="old"))
    with serving(tmp_path, environment=here) as first:
        first.wait_until_ready()
        address = str(first.client.base_url)
        page = browser.new_page()
        page.goto(address)
        expect(page.locator("#deck [data-pool]")).to_have_count(2)
        expect_live(page)
    config.write_text('functions = ["shown"]\n' + pool.format(name="io") + pool.format(name="new"))
    with serving(tmp_path, "--port", address.rpartition(":")[2], environment=here) as second:
        second.wait_until_ready()
        expect(page.locator('#deck [data-pool="new"]')).to_be_visible(timeout=60_000)
        expect(page.locator('#deck [data-pool="old"]')).to_have_count(0)
        expect(page.locator("#chart-pool")).to_contain_text("new")
        page.close()
