"""What stands around every page: languages, the live connection, printing, a layout that rests."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from pooldeck_server.web.pages import NAVIGATION
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import speaking
from tests.browser.looking import Open, barriers, expect_live
from tests.support.serving import Serving, serving

HERE = {"PYTHONPATH": str(Path(__file__).parent)}
LOCALES = {"en": "en-GB", "zh-Hans": "zh-CN"}


# Languages.


def test_a_page_speaks_the_language_of_the_browser_and_is_switched(open_page: Open) -> None:
    page = open_page("/tasks?state=failed", locale="zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator('.nav [href="/tasks"]')).to_have_text("任务")
    expect(page.locator(".connection")).to_have_text("实时")
    assert barriers(page) == []
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_url("/tasks?state=failed")
    expect_live(page)
    page.goto("/pools")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_switch_of_languages_needs_no_javascript(open_page: Open) -> None:
    page = open_page("/", java_script_enabled=False)
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator('.nav li [href="/"]')).to_contain_text("总览")


SECONDS = [0, 0.0004, 0.34, 2.16, 9.99, 14.9, 60, 3725, 93_600]
AGES = [0, 3, 200, 7300, 200_000, -90, -59.7, -3599.6, -86_399, -258_980, -254_400]
OCTETS = [0, 1023, 1536, 220_200_960]


@pytest.mark.parametrize("language", LOCALES)
def test_scripts_and_server_word_numbers_alike(open_page: Open, language: str) -> None:
    page = open_page("/", locale=LOCALES[language])
    with speaking(language):
        expected = [
            [formats.duration(seconds) for seconds in SECONDS],
            [formats.ago(int(-age * 1_000_000), 0) for age in AGES],
            [formats.size(octets) for octets in OCTETS],
            [formats.count(1_234_567), formats.percent(12.5)],
        ]
    assert _worded(page) == expected


def _worded(page: Page) -> Any:
    script = """async ([seconds, ages, octets]) => {
        const base = document.body.dataset.stream.replace("stream_worker.js", "");
        const { ago, count, duration, percent, size } = await import(base + "formats.js");
        return [seconds.map(duration), ages.map((age) => ago(-age * 1000, 0)), octets.map(size),
                [count(1234567), percent(12.5)]];
    }"""
    return page.evaluate(script, [SECONDS, AGES, OCTETS])


# The live connection.


def test_a_lost_connection_is_said_and_caught_up_with(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    with serving(tmp_path, "--functions", "shown", environment=HERE) as first:
        first.wait_until_ready()
        address = str(first.client.base_url)
        page.goto(f"{address}/tasks")
        expect_live(page)
        expect(page.locator("#lost")).to_be_hidden()
    connection = page.locator(".connection")
    expect(connection).to_contain_text("lost since", timeout=20_000)
    expect(page.locator("#lost")).to_contain_text("this page catches up by itself")
    port = address.rpartition(":")[2]
    with serving(tmp_path, "--functions", "shown", "--port", port, environment=HERE) as second:
        second.wait_until_ready()
        task = second.run("shown.add", 1)
        expect(connection).to_have_text("live", timeout=30_000)
        expect(page.locator("#lost")).to_be_hidden()
        expect(page.locator(f'main a[href="/tasks/{task["id"]}"]').first).to_be_visible()
        page.close()


def test_all_tabs_of_one_browser_share_one_stream(browser: Browser, tmp_path: Path) -> None:
    """The server allows a single one, and every tab is live."""
    (tmp_path / "pooldeck.toml").write_text('functions = ["shown"]\n[limits]\nstreams = 1\n')
    with serving(tmp_path, environment=HERE) as server:
        server.wait_until_ready()
        context = browser.new_context(base_url=str(server.client.base_url))
        tabs = [context.new_page() for _ in range(4)]
        for tab in tabs:
            tab.goto("/incidents")
        for tab in tabs:
            expect_live(tab)
        server.run("shown.add", 1)
        for tab in tabs:
            expect(tab.locator('[data-field="window.succeeded"]')).to_have_text("1")
        assert server.client.get("/api/v1/events").status_code == 503
        context.close()


# Looks.


@pytest.mark.parametrize("path", ["/", "/tasks"])
def test_a_page_rests_while_it_loads_and_goes_live(
    open_page: Open, shown: Serving, path: str
) -> None:
    shown.run("shown.add", 1)
    page = open_page("about:blank", viewport={"width": 1280, "height": 800})
    page.add_init_script(
        "window.shift = 0;"
        "const add = (list) => list.getEntries().forEach((each) => { shift += each.value; });"
        "new PerformanceObserver(add).observe({ type: 'layout-shift', buffered: true });"
    )
    page.goto(path)
    expect_live(page)
    page.wait_for_timeout(1000)  # what comes late may not move anything either
    assert page.evaluate("window.shift") < 0.01


def test_a_printed_page_has_no_controls_and_is_light(open_page: Open) -> None:
    page = open_page("/tasks", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    for selector in (".nav", ".foot"):
        expect(page.locator(selector)).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    scheme = page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    assert scheme == "light"


@pytest.mark.parametrize("width", [360, 1280, 3840])
def test_the_frame_fits(open_page: Open, width: int) -> None:
    page = open_page("/", viewport={"width": width, "height": 800})
    expect_live(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = [each.bounding_box() for each in page.locator(".nav li a span").all()]
    edges = [(box["x"], box["x"] + box["width"]) for box in boxes if box]
    assert len(edges) == len(NAVIGATION)
    at_once = 7 if width == 360 else len(NAVIGATION)
    assert all(left >= 0 and right <= width for left, right in edges[:at_once])
    if width == 360:  # a phone: the labels stand side by side, in a bar that scrolls
        assert all(right < left for (_, right), (left, _) in pairwise(edges))


def test_the_bar_of_a_phone_shows_where_one_is(open_page: Open) -> None:
    page = open_page("/shared", viewport={"width": 360, "height": 740})
    expect_live(page)
    expect(page.locator(".nav [aria-current]")).to_have_text("Shared")
    expect(page.locator(".nav [aria-current]")).to_be_in_viewport(ratio=1)


# Delivery.


def test_the_overview_is_small_on_the_wire(open_page: Open) -> None:
    page = open_page("about:blank")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto("/")
    expect_live(page)
    assert 0 < sum(received) < 150_000, json.dumps(received)


def test_whoever_goes_back_finds_the_focus_on_the_row_that_was_left(
    open_page: Open, shown: Serving
) -> None:
    ids = [shown.run("shown.add", number)["id"] for number in range(3)]
    page = open_page("/tasks")
    row = page.locator(f"#task-{ids[1]}")
    row.focus()
    row.press("Enter")
    expect(page).to_have_url(re.compile(f"/tasks/{ids[1]}"))
    page.go_back()
    expect(row).to_be_focused()
