"""Times in one zone, which the reader chooses: on pages, by scripts, and in fields of forms."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from pooldeck_server.web.text import formats
from pooldeck_server.web.text.zones import times_in
from tests.browser.looking import Open, barriers, expect_live
from tests.support.serving import Serving

SHANGHAI: dict[str, Any] = {"timezone_id": "Asia/Shanghai"}


@pytest.fixture(scope="module", autouse=True)
def task(shown: Serving) -> dict[str, Any]:
    return shown.run("shown.add", 1)


def _title(page: Page, label: str) -> str:
    fact = page.locator(".facts div", has_text=label).locator("time").first
    return fact.get_attribute("title") or ""


def test_times_are_in_the_zone_of_the_browser_until_another_is_chosen(
    open_page: Open, task: dict[str, Any]
) -> None:
    page = open_page(f"/tasks/{task['id']}", **SHANGHAI)
    expect(page.locator("#zone")).to_have_text("Times in Asia/Shanghai (UTC+8)")
    local = _title(page, "Created")
    assert local.endswith("UTC+8")
    page.click("#zone")
    expect(page.get_by_label("That of this browser")).to_be_checked()
    assert barriers(page) == []
    page.get_by_label("UTC", exact=True).check()
    page.click("#choose-zone")
    expect(page).to_have_url(re.compile(f"/tasks/{task['id']}$"))
    expect(page.locator("#zone")).to_have_text("Times in UTC")
    created = task["created_at"][:19].replace("T", " ")
    assert _title(page, "Created").startswith(created)
    assert _title(page, "Created").endswith(" UTC")


def test_any_zone_can_be_chosen_without_javascript(open_page: Open) -> None:
    page = open_page("/time-zone?next=/tasks", java_script_enabled=False, locale="zh-CN")
    page.check('input[value="other"]')
    page.select_option('select[name="other"]', "America/St_Johns")
    page.click("#choose-zone")
    expect(page).to_have_url("/tasks")
    expect(page.locator("#zone")).to_contain_text(re.compile(r"America/St_Johns \(UTC-[23]:30\)"))
    assert "UTC-" in (page.locator("td time").first.get_attribute("title") or "")


def test_the_chart_and_what_happened_are_in_the_zone_of_the_page(
    open_page: Open, shown: Serving
) -> None:
    for size in (3, 2):
        shown.client.patch("/api/v1/pools/cpu", json={"size": size}).raise_for_status()
    page = open_page("/", timezone_id="America/New_York")
    expect(page.locator("html")).to_have_attribute("data-zone", "America/New_York")
    time = page.locator("#chart-drawn time").last
    expect(time).to_have_text(re.compile(r"^\d\d:\d\d:\d\d"))
    shown_clock = (time.text_content() or "")[:8]
    assert (time.get_attribute("title") or "").split()[1][:8] == shown_clock
    assert (time.get_attribute("title") or "").split()[2] in {"UTC-5", "UTC-4"}
    expect(page.locator(".happenings h3")).to_contain_text("America/New_York")


RANGE = "2026-11-30 17:00:00 \N{EN DASH} 17:01:00 UTC+8"
SUMMER, WINTER = 1_782_864_000_123, 1_767_225_600_000


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns"])
def test_scripts_and_server_tell_moments_alike(open_page: Open, zone: str) -> None:
    page = open_page("/tasks", timezone_id=zone)
    expect(page.locator("html")).to_have_attribute("data-zone", zone)
    expect_live(page)
    script = """async (moments) => {
        const base = document.body.dataset.stream.replace("stream_worker.js", "");
        const { wall, offsetName } = await import(base + "zone.js");
        return moments.map((at) => `${wall(at).replace("T", " ")} ${offsetName(at)}`);
    }"""
    with times_in(zone):
        expected = [formats.moment(at * 1000) for at in (SUMMER, WINTER)]
    assert page.evaluate(script, [SUMMER, WINTER]) == expected


def test_the_timeline_tells_and_takes_times_of_the_zone(open_page: Open) -> None:
    page = open_page("/timeline?span=60&from=2026-11-30T09:00:00Z", **SHANGHAI)
    expect(page.locator("html")).to_have_attribute("data-zone", "Asia/Shanghai")
    expect(page.locator('input[name="from"]')).to_have_value("2026-11-30T17:00")
    expect(page.locator("#timeline-range")).to_contain_text(RANGE)
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("zone=Asia%2FShanghai"))
    expect(page.locator("#timeline-range")).to_contain_text(RANGE)


def test_a_filter_by_time_means_the_zone_that_its_label_names(open_page: Open) -> None:
    page = open_page("/tasks?since=2026-11-30T09:00:00Z", **SHANGHAI)
    expect(page.locator("html")).to_have_attribute("data-zone", "Asia/Shanghai")
    field = page.get_by_label("From (Asia/Shanghai)")
    expect(field).to_have_value("2026-11-30T17:00")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator('[aria-label="Filters in force"]')).to_contain_text("17:00:00.000 UTC+8")


def test_a_time_to_run_at_is_one_of_the_zone_and_never_guessed(
    browser: Browser, shown: Serving
) -> None:
    address = str(shown.client.base_url)
    with browser.new_page(base_url=address, timezone_id="Europe/Berlin") as page:  # 422 complains
        page.goto("/functions/shown.add")
        expect(page.locator("html")).to_have_attribute("data-zone", "Europe/Berlin")
        page.fill('[name="arg.left"]', "1")
        page.click("#options > summary")
        page.fill("#run_at", "2030-10-27T02:30")
        page.get_by_role("button", name="Submit task").click()
        expect(page.locator("#run_at-error")).to_contain_text("comes twice in Europe/Berlin")
        page.fill("#run_at", "2030-10-27T02:30+01:00")
        page.get_by_role("button", name="Submit task").click()
        expect(page.locator("#task-id")).to_be_visible()
        task_id = page.locator("#task-id").text_content()
    found = shown.client.get(f"/api/v1/tasks/{task_id}").json()
    assert found["run_at"] == "2030-10-27T01:30:00.000000Z"
    shown.client.post(f"/api/v1/tasks/{task_id}/cancel").raise_for_status()
