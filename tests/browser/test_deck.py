"""The pages in a real browser: they follow what happens, and their controls work."""

import json
import re
from pathlib import Path

from playwright.sync_api import Browser, expect
from serving import Serving, serving

from app.web import formats
from browser.looking import Open, barriers, expect_live, submitted


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
    expect(slot.locator('[data-field="slot.elapsed"]')).to_have_text(re.compile(r"^[1-9]\.\d s$"))
    busy = page.locator('[data-pool="cpu"] [data-field="pool.busy"]')
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
    markup = re.sub(
        r' (data-elapsed|value|data-usual|data-over|title|data-key|hidden)="[^"]*"', "", markup
    )
    return re.sub(r">[^<]*(ms|s|%|MiB|done|min)<", "><", markup).replace("> <", "><")


def test_the_list_shows_a_new_task_and_its_end_without_a_reload(
    open_page: Open, shown: Serving, flag: Path
) -> None:
    page = open_page("/tasks")
    expect_live(page)
    loaded = page.evaluate("performance.timeOrigin")
    task_id = submitted(shown, "shown.wait", str(flag))
    row = page.locator("tr", has=page.locator(f'[id="task-{task_id}"]'))
    expect(row.locator(".cell-state")).to_have_text("running")
    link = row.locator("a")
    link.focus()
    flag.touch()
    expect(row.locator(".cell-state")).to_have_text("succeeded")
    expect(link).to_be_focused()
    assert page.evaluate("performance.timeOrigin") == loaded


def test_the_page_of_a_task_follows_its_progress_to_its_result(
    open_page: Open, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.wait", str(flag))
    page = open_page(f"/tasks/{task_id}")
    expect(page.locator(".progress")).to_contain_text("waiting for a file")
    flag.touch()
    expect(page.locator(".task-state")).to_contain_text("succeeded")
    expect(page.locator(".json").last).to_have_text('"found"')


def test_more_tabs_than_a_browser_has_connections_are_all_live(open_page: Open) -> None:
    first = open_page("/")
    expect_live(first)
    tabs = [first.context.new_page() for _ in range(8)]
    for tab in tabs:
        tab.goto("/tasks")
        expect_live(tab)


def test_a_lost_connection_is_shown_and_what_was_missed_is_caught_up(
    browser: Browser, tmp_path: Path
) -> None:
    options = ("--functions", "shown")
    environment = {"PYTHONPATH": str(Path(__file__).parent)}
    with serving(tmp_path, *options, environment=environment) as first:
        port = str(first.client.base_url.port)
        page = browser.new_page(base_url=str(first.client.base_url))
        page.goto("/tasks")
        expect_live(page)
    connection = page.locator(".connection")
    expect(connection).to_have_text("reconnecting")
    with serving(tmp_path, *options, "--port", port, environment=environment) as second:
        second.wait_until_ready()
        task = second.run("shown.add", 1)
        expect(connection).to_have_text("live")
        expect(page.locator(f'[id="task-{task["id"]}"]')).to_be_visible()
        page.close()


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
        expect(page.locator('[data-pool="cpu"] .pool-state')).to_have_text("broken")
        page.get_by_text("Why it is broken").first.click()
        expect(page.locator(".pool-reason pre").first).to_contain_text("nothing_of_that_name")
        expect_live(page)
        live = notices.all_inner_texts()
        assert barriers(page) == []
        page.close()
        still = browser.new_page(base_url=str(server.client.base_url), java_script_enabled=False)
        still.goto("/")
        assert still.locator(".notice").all_inner_texts() == live
        still.close()


# The form.


def test_the_form_submits_and_the_page_shows_the_result(open_page: Open) -> None:
    page = open_page("/functions/shown.add")
    page.get_by_label(re.compile("^left")).fill("40")
    page.get_by_role("button", name="Submit task").click()
    expect(page.locator(".task-state")).to_contain_text("succeeded")
    expect(page.locator(".json").last).to_have_text("42")
    page.get_by_role("link", name="Submit again with these arguments").click()
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
    expect(page.locator(".told")).to_have_text("It hands out what is queued.")


def test_a_notice_comes_and_goes_with_what_it_tells_of(open_page: Open, shown: Serving) -> None:
    page = open_page("/tasks")
    expect_live(page)
    shown.client.patch("/api/v1/pools/io", json={"paused": True})
    notice = page.locator(".notice")
    expect(notice).to_have_text(re.compile("io is paused"))
    expect(notice).to_have_attribute("data-kind", "paused")
    shown.client.patch("/api/v1/pools/io", json={"paused": False})
    expect(notice).to_have_count(0)


# The chart, and the words of numbers.


def test_the_chart_is_drawn_and_counts_what_ended(open_page: Open, shown: Serving) -> None:
    shown.run("shown.add", 1)
    page = open_page("/")
    expect(page.locator("#throughput canvas")).to_be_visible()
    ended = sum(shown.client.get("/throughput.json").json()["succeeded"])
    expect(page.locator("#throughput .u-legend")).to_contain_text(formats.count(ended))


DURATIONS = [None, 0, 0.0004, 0.34, 0.9999, 1, 2.16, 9.99, 14.9, 59.99, 60, 3725, 93_600, -1]
SIZES = [None, 0, 1023, 1024, 1536, 10_240, 220_200_960, 3 * 2**30, 2**50]
AGES = [0, 0.5, 3.7, 59, 200, 7300, 90_000, -90]


def test_the_browser_words_numbers_as_the_server_does(open_page: Open) -> None:
    page = open_page("/")
    now = 1_700_000_000_000
    module = page.locator('script[src$="/page.js"]').get_attribute("src") or ""
    said = page.evaluate(
        """async ([path, durations, sizes, ages, now]) => {
            const words = await import(path);
            return [durations.map(words.duration), sizes.map(words.size),
                    ages.map((age) => words.ago(now - age * 1000, now)),
                    [0, 999, 1234567].map(words.count), [null, 0.4, 99.5].map(words.percent)];
        }""",
        [module.replace("page.js", "formats.js"), DURATIONS, SIZES, AGES, now],
    )
    ago = [formats.ago(now * 1000 - int(age * 1_000_000), now * 1000) for age in AGES]
    assert said == json.loads(
        json.dumps(
            [
                [formats.duration(each) for each in DURATIONS],
                [formats.size(each) for each in SIZES],
                ago,
                [formats.count(each) for each in (0, 999, 1_234_567)],
                [formats.percent(each) for each in (None, 0.4, 99.5)],
            ]
        )
    )
