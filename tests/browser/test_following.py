"""Open pages follow what happens elsewhere, and their forms work, in a real browser."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.looking import Open, expect_live, submitted
from tests.support.serving import Serving


def test_the_list_shows_a_new_task_and_its_end_without_a_reload(
    open_page: Open, shown: Serving, flag: Path
) -> None:
    page = open_page("/tasks")
    expect_live(page)
    loaded = page.evaluate("performance.timeOrigin")
    task_id = submitted(shown, "shown.wait", str(flag))
    row = page.locator("tr", has=page.locator(f'[id="task-{task_id}"]'))
    expect(row.locator(".cell-state")).to_contain_text("running")
    link = row.locator(f'[id="task-{task_id}"]')
    link.focus()
    flag.touch()
    expect(row.locator(".cell-state")).to_contain_text("succeeded")
    expect(link).to_be_focused()
    assert page.evaluate("performance.timeOrigin") == loaded


def test_the_form_submits_and_the_page_shows_the_result(open_page: Open) -> None:
    page = open_page("/functions/shown.add")
    page.get_by_label(re.compile("^left")).fill("40")
    page.get_by_role("button", name="Submit task").click()
    expect(page.locator(".task-state")).to_contain_text("succeeded")
    expect(page.locator(".json").last).to_have_text("42")
    page.get_by_role("link", name="Edit and submit again").click()
    expect(page.get_by_label(re.compile("^left"))).to_have_value("40")


def test_a_waiting_task_is_cancelled_by_its_button(open_page: Open, shown: Serving) -> None:
    task_id = submitted(shown, "shown.add", 1, delay=3600)
    page = open_page(f"/tasks/{task_id}")
    page.get_by_role("button", name="Cancel task").click()
    expect(page.locator(".task-state")).to_contain_text("cancelled")


def test_a_size_that_is_being_typed_survives_what_the_page_hears(
    open_page: Open, shown: Serving
) -> None:
    page = open_page("/pools")
    expect_live(page)
    size = page.locator("#size-io")
    size.fill("7")
    with page.expect_response("**/pools"):
        shown.run("shown.tell", ["so that a frame comes"])
    shown.client.patch("/api/v1/pools/io", json={"paused": True})
    expect(page.locator("#resume-io")).to_be_visible()
    expect(size).to_have_value("7")
    page.locator("#resume-io").click()
    expect(page.locator("#pause-io")).to_be_visible()
    expect(page.locator(".flash")).to_have_text("It hands out what is queued.")


def test_a_notice_comes_and_goes_with_what_it_tells_of(open_page: Open, shown: Serving) -> None:
    page = open_page("/tasks")
    expect_live(page)
    shown.client.patch("/api/v1/pools/io", json={"paused": True})
    notice = page.locator(".notice", has_text="io is paused")
    expect(notice).to_have_attribute("data-kind", "paused")
    shown.client.patch("/api/v1/pools/io", json={"paused": False})
    expect(notice).to_have_count(0)
