"""Why a task waits: its page says so and follows it, with the button that helps."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.looking import barriers, expect_live, submitted
from tests.support.serving import Serving, serving

_CONFIG = """
functions = ["shown"]

[pools.cpu]
kind = "process"
size = 1
spare = 0

[pools.io]
kind = "thread"
size = 1
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server whose pools nobody else uses."""
    folder = tmp_path_factory.mktemp("waiting")
    (folder / "pooldeck.toml").write_text(_CONFIG)
    with serving(folder, environment={"PYTHONPATH": str(Path(__file__).parent)}) as server:
        server.wait_until_ready()
        yield server


@pytest.fixture
def context(browser: Browser, own: Serving) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=str(own.client.base_url))
    yield context
    context.close()


def _paused(own: Serving, *, is_paused: bool) -> None:
    answer = own.client.patch("/api/v1/pools/cpu", json={"paused": is_paused})
    answer.raise_for_status()


def _opened(context: BrowserContext, path: str) -> Page:
    page = context.new_page()
    page.goto(path)
    expect_live(page)
    return page


def test_a_task_of_a_paused_pool_says_so_and_runs_at_a_click(
    own: Serving, context: BrowserContext
) -> None:
    _paused(own, is_paused=True)
    first, second = (submitted(own, "shown.add", n) for n in range(2))
    page = _opened(context, f"/tasks/{second}")
    block = page.locator("#waiting")
    expect(block).to_contain_text("The pool cpu is paused, and hands nothing out.")
    expect(block).to_contain_text("1 task of a higher or the same priority goes before it.")
    expect(page).to_have_title(re.compile("queued"))
    assert barriers(page) == []
    own.client.post(f"/api/v1/tasks/{first}/cancel").raise_for_status()
    expect(block).to_contain_text("It is the first in the line.")  # without a reload
    page.get_by_role("button", name="Resume cpu").click()
    expect(page).to_have_url(re.compile(f"/tasks/{second}$"))
    expect(page.locator(".task-state .state")).to_have_text("succeeded")
    expect(block).to_have_count(0)
    expect(page).to_have_title(re.compile("^add succeeded"))


def test_a_task_of_a_function_on_hold_says_so_counts_as_the_oldest_and_runs_at_a_click(
    own: Serving, context: BrowserContext
) -> None:
    _paused(own, is_paused=True)
    task_id = submitted(own, "shown.add", 1)
    hold = own.client.post("/api/v1/functions/shown.add/hold", json={"reason": "it is wrong"})
    hold.raise_for_status()
    _paused(own, is_paused=False)
    page = _opened(context, f"/tasks/{task_id}")
    expect(page.locator("#waiting")).to_contain_text(
        "Its function shown.add is on hold: it is wrong."
    )
    for place in (".strip [data-field=oldest_wait]", "[data-pool=cpu] [data-field=oldest_wait]"):
        if place.startswith("["):
            page.goto("/")
        expect(page.locator(place)).to_have_text(re.compile(r"^\d.* m?s$"))
    page.goto(f"/tasks/{task_id}")
    page.click("#wait-help")
    expect(page.locator(".task-state .state")).to_have_text("succeeded")
    expect(page.locator("#waiting")).to_have_count(0)


def test_the_list_says_in_a_word_why_each_task_waits(own: Serving, context: BrowserContext) -> None:
    _paused(own, is_paused=True)
    queued = submitted(own, "shown.add", 1)
    later = submitted(own, "shown.add", 2, delay=3600)
    page = _opened(context, "/tasks")
    row = page.locator("tr", has=page.locator(f"#task-{queued}"))
    expect(row.locator(".wait-reason")).to_have_text("its pool is paused")
    row = page.locator("tr", has=page.locator(f"#task-{later}"))
    expect(row.locator(".wait-reason")).to_have_text("waits for its time")
    for task_id in (queued, later):
        own.client.post(f"/api/v1/tasks/{task_id}/cancel").raise_for_status()
    _paused(own, is_paused=False)


def test_a_task_behind_a_busy_slot_leads_to_what_runs_there(
    own: Serving, context: BrowserContext, flag: Path
) -> None:
    running = submitted(own, "shown.wait", str(flag))
    waits = submitted(own, "shown.wait", str(flag))
    page = _opened(context, f"/tasks/{waits}")
    block = page.locator("#waiting")
    expect(block).to_contain_text("The only slot of the pool io is busy.")
    expect(block).to_contain_text("cannot be said")
    page.get_by_role("link", name="What runs in io").click()
    expect(page.locator(f"#task-{running}")).to_be_visible()
    flag.touch()


def test_a_task_after_others_names_and_links_them(own: Serving, context: BrowserContext) -> None:
    _paused(own, is_paused=True)
    before = submitted(own, "shown.add", 1)
    after = submitted(own, "shown.add", 2, after=[before])
    page = _opened(context, f"/tasks/{after}")
    expect(page.locator("#waiting")).to_contain_text("It waits for 1 task to end.")
    link = page.locator(f'#waiting a[href="/tasks/{before}"]')
    expect(link).to_have_text("shown.add")
    _paused(own, is_paused=False)
    expect(page.locator(".task-state .state")).to_have_text("succeeded")


def test_the_same_is_said_in_chinese_and_without_javascript(own: Serving, browser: Browser) -> None:
    _paused(own, is_paused=True)
    task_id = submitted(own, "shown.add", 1)
    address = str(own.client.base_url)
    with browser.new_page(base_url=address, java_script_enabled=False, locale="zh-CN") as page:
        page.goto(f"/tasks/{task_id}")
        expect(page.locator("#waiting")).to_contain_text("池 cpu 已暂停")
        page.click("#wait-help")
        expect(page).to_have_url(re.compile(f"/tasks/{task_id}$"))
    assert own.client.get(f"/api/v1/tasks/{task_id}?wait=30").json()["state"] == "succeeded"


def test_a_task_put_off_runs_at_a_click(own: Serving, context: BrowserContext) -> None:
    _paused(own, is_paused=False)
    page = _opened(context, f"/tasks/{submitted(own, 'shown.add', 3, delay=259_200)}")
    expect(page.locator("#waiting time")).to_have_text("in 3 d")  # though some seconds are gone
    page.locator("#waiting").get_by_role("button", name="Run now").click()
    expect(page.locator(".task-state .state")).to_have_text("succeeded")


def test_a_form_changes_what_waits_and_says_what_is_wrong_at_the_field(
    own: Serving, context: BrowserContext
) -> None:
    _paused(own, is_paused=False)
    task_id = submitted(own, "shown.add", 4, delay=3600)
    page = _opened(context, f"/tasks/{task_id}")
    page.get_by_role("link", name="Change", exact=True).click()
    expect(page.get_by_label("Run at")).not_to_have_value("")
    assert barriers(page) == []
    page.get_by_label("Priority").fill("7")
    page.get_by_label("Arguments by position").fill('["a word"]')
    page.get_by_role("button", name="Change task").click()
    expect(page.locator("#args-error")).to_be_visible()
    expect(page.get_by_label("Priority")).to_have_value("7")
    page.get_by_label("Arguments by position").fill("[40, 2]")
    page.get_by_label("Pool").select_option("io")
    page.get_by_label("Run at").fill("")
    page.get_by_role("button", name="Change task").click()
    expect(page.get_by_text("It is changed.")).to_be_visible()
    expect(page.locator(".task-state .state")).to_have_text("succeeded")
    task = own.client.get(f"/api/v1/tasks/{task_id}").json()
    assert (task["priority"], task["pool"], task["args"]) == (7, "io", [40, 2])
