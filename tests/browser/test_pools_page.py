"""Pools, functions and incidents in a real browser: each action, both themes, wide and narrow."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import DESK, LOOKS, barriers, expect_live, submitted, watch
from tests.browser.reading import page_with
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server of its own, whose pools may be changed and whose workers may die."""
    folder = tmp_path_factory.mktemp("pools")
    (folder / "pooldeck.toml").write_text(
        'functions = ["shown"]\nhold_after = 1\n'
        '[pools.io]\nkind = "thread"\nsize = 4\n'
        '[pools.cpu]\nkind = "process"\nsize = 2\nmax_memory_mb = 3000\n'
    )
    with serving(folder, environment={"PYTHONPATH": str(Path(__file__).parent)}) as server:
        server.wait_until_ready()
        server.run("shown.keep", 20)  # the history tells of it ten seconds later
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


def expect_in_order(page: Page) -> None:
    """Hold a page against what every page must be: live, accessible, and not too wide."""
    expect_live(page)
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def give_reason(page: Page, button: str, reason: str) -> None:
    """Answer a question with a reason, and do it."""
    expect(page.get_by_role("link", name="Back, change nothing")).to_be_focused()
    expect_in_order(page)
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=button).click()


@LOOKS
def test_a_pool_is_resized_paused_and_resumed(
    browser: Browser, own: Serving, complaints: list[str], look: dict[str, Any]
) -> None:
    page = opened(browser, own, complaints, **look)
    page.goto("/pools")
    expect_in_order(page)
    io = page.locator("#io")
    before = own.client.get("/api/v1/pools/io").json()["size"]
    io.get_by_label("Size of io").press("ArrowRight")
    expect(io.get_by_label("Size", exact=True)).to_have_value(str(before + 1))
    expect(io.locator("output")).to_contain_text(f"{before + 1} threads in one process.")
    io.get_by_role("button", name="Resize").click()
    expect(io.locator(".flash")).to_have_text("It has another size now.")
    expect(io.locator("#lately-io")).to_contain_text(f"resized from {before} to {before + 1}")
    assert own.client.get("/api/v1/pools/io").json()["size"] == before + 1
    io.get_by_role("button", name="Pause").click()
    expect(io.locator("#state-io")).to_have_text("paused")
    io.get_by_role("button", name="Resume").click()
    expect(io.locator("#state-io")).to_have_text("running")
    page.context.close()


@LOOKS
def test_what_destroys_asks_first_and_its_reason_is_kept(
    browser: Browser, own: Serving, complaints: list[str], look: dict[str, Any], flag: Path
) -> None:
    page = opened(browser, own, complaints, **look)
    task = submitted(own, "shown.hold", str(flag))
    page_with(own.client, "/pools", task)
    page.goto("/pools")
    cpu = page.locator("#cpu")
    row = cpu.get_by_role("row").filter(has_text="hold")
    row.get_by_role("link", name=re.compile("Kill")).click()
    expect(page.get_by_label("Tasks that this ends")).to_contain_text("shown.hold")
    give_reason(page, "Kill worker", "it hung")
    expect(cpu.locator(".flash")).to_contain_text("The worker was killed")
    expect(cpu.locator("#lately-cpu")).to_contain_text("was killed by hand it hung")
    ended = own.client.get(f"/api/v1/tasks/{task}", params={"wait": 30}).json()
    assert ended["state"] == "cancelled"
    cpu.get_by_role("link", name="Restart workers").click()
    give_reason(page, "Restart workers", "new code")
    expect(cpu.locator("#lately-cpu")).to_contain_text("workers restarted new code")
    cpu.get_by_role("link", name="Drain and stop").click()
    give_reason(page, "Drain and stop", "new disk")
    expect(cpu.locator("#state-cpu")).to_have_text("stopped")
    expect(cpu.locator("#lately-cpu")).to_contain_text("drained new disk")
    cpu.get_by_role("button", name="Resume").click()
    expect(cpu.locator("#state-cpu")).to_have_text("running")
    page.context.close()


def test_what_is_being_chosen_is_not_disturbed_and_else_the_size_follows_the_pool(
    browser: Browser, own: Serving, complaints: list[str]
) -> None:
    page = opened(browser, own, complaints, **DESK)
    page.goto("/pools")
    expect_live(page)
    number = page.locator("#size-io")
    own.client.patch("/api/v1/pools/io", json={"size": 9})
    expect(number).to_have_value("9")
    expect(page.locator("#io output")).to_contain_text("9 threads")
    number.fill("20")
    own.client.patch("/api/v1/pools/io", json={"size": 5})
    expect(page.locator("#settings-io")).to_contain_text("5 by hand, configured 4")
    expect(number).to_have_value("20")
    expect(number).to_be_focused()
    page.context.close()


def test_a_pool_is_resized_without_javascript(
    browser: Browser, own: Serving, complaints: list[str]
) -> None:
    page = opened(browser, own, complaints, **DESK, java_script_enabled=False)
    page.goto("/pools")
    expect(page.get_by_label("Size of io")).to_be_hidden()
    page.locator("#size-io").fill("6")
    page.locator("#io").get_by_role("button", name="Resize").click()
    expect(page.locator("#io output")).to_contain_text("6 threads in one process.")
    page.context.close()


@LOOKS
def test_a_crash_reads_like_a_report_and_its_function_is_released(
    browser: Browser, own: Serving, complaints: list[str], look: dict[str, Any]
) -> None:
    task = own.run("shown.die")["id"]
    page = opened(
        browser, own, complaints, **look, permissions=["clipboard-read", "clipboard-write"]
    )
    page.goto("/incidents?function=shown.die&since=24h")
    expect_in_order(page)
    page.locator(f'tr:has(a[href="/tasks/{task}"])').get_by_role("link", name="killed by").click()
    expect(page.locator(".lead")).to_contain_text("It died of shown.die, which it ran.")
    expect(page.locator('[data-thread="guilty"]')).to_contain_text("in die")
    expect(page.locator("#tasks")).to_contain_text("culprit")
    expect_in_order(page)
    page.get_by_role("button", name="Copy report").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "killed by SIGSEGV" in page.evaluate("navigator.clipboard.readText()")
    page.locator("#todo").get_by_role("button", name="Release die").click()
    expect(page.get_by_role("status").filter(has_text="It was released")).to_be_visible()
    expect(page.locator("#hold")).not_to_contain_text("On hold")
    page.context.close()


@LOOKS
def test_a_form_names_what_is_wrong_inside_an_argument_and_then_submits(
    browser: Browser, own: Serving, complaints: list[str], look: dict[str, Any]
) -> None:
    page = opened(browser, own, complaints, **look)
    page.goto("/functions")
    page.get_by_label("Find a function").press_sequentially("give back")
    expect(page.locator("#functions tbody tr:not(.module)")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=give\+back"))
    expect_in_order(page)
    page.locator('[id="function-shown.choose"]').click()
    expect_in_order(page)
    page.get_by_label("mode").select_option('"fill"')
    boxes = page.get_by_label(re.compile("^boxes"))
    boxes.fill('[1, "two"]')
    page.get_by_text("Pool, priority, time").click()
    page.get_by_label("Tags").fill("by hand")
    page.get_by_role("button", name="Submit task").click()
    expect(page.locator("#arg-boxes-notes")).to_have_text('boxes[1]: "two" is not an integer.')
    expect(boxes).to_have_attribute("aria-invalid", "true")
    expect_in_order(page)
    assert all("422" in complaint for complaint in complaints)  # the browser names each refusal
    complaints.clear()
    boxes.fill("[1, 2]")
    page.get_by_role("button", name="Submit task").click()
    expect(page).to_have_url(re.compile("/tasks/"))
    task = own.client.get("/api/v1" + page.url[page.url.index("/tasks/") :]).json()
    assert (task["kwargs"]["boxes"], task["tags"]) == ([1, 2], ["by hand"])
    page.context.close()


def test_numbers_and_controls_come_first_and_the_machine_is_told_once(
    browser: Browser, own: Serving, complaints: list[str]
) -> None:
    page = opened(browser, own, complaints, viewport={"width": 1440, "height": 900})
    page.goto("/pools")
    expect_live(page)
    expect(page.get_by_text("Load average")).to_have_count(1)
    expect(page.locator("#machine dt").first).to_have_text("CPUs")
    cpu = page.locator("#cpu")
    expect(cpu.locator("details")).to_have_count(4)
    expect(cpu.locator("details[open]")).to_have_count(0)
    assert cpu.evaluate("each => each.offsetHeight") < 500
    tops = [
        cpu.locator(part).evaluate("each => each.getBoundingClientRect().top")
        for part in ("#figures-cpu", ".sizing", "#workers-cpu", "#more-cpu")
    ]
    assert tops == sorted(tops)
    cpu.get_by_text("The numbers behind the size").focus()
    page.keyboard.press("Enter")
    own.client.patch("/api/v1/pools/cpu", json={"size": 3})
    expect(cpu.locator("#figures-cpu")).to_contain_text("of 3")
    expect(cpu.get_by_text("Slots that the load needs")).to_be_visible()
    expect(cpu.locator("#size-numbers-cpu-head")).to_be_focused()
    page.context.close()


def test_memory_stands_against_its_limit_with_who_grew_it_and_what_a_size_would_need(
    browser: Browser, own: Serving, complaints: list[str]
) -> None:
    page = opened(browser, own, complaints, **DESK)
    page.goto("/pools")
    cpu = page.locator("#cpu")
    figures = cpu.locator("#figures-cpu")
    expect(figures).to_contain_text(re.compile(r"Memory\s*\d+ MiB of [\d.]+ GiB"))
    expect(figures).to_contain_text(re.compile(r"Largest worker\s*\d+ MiB of 2.9 GiB"))
    cpu.locator("#memory-cpu summary").click()
    expect(cpu.locator(".memory-bar")).to_be_visible()
    grown = cpu.locator(".memory-growth tbody tr", has_text="shown.keep")
    expect(grown).to_contain_text(re.compile(r"2\d MiB\s*1\s*2\d MiB"))
    cpu.get_by_label("Size of cpu").fill("12")
    meaning = cpu.locator("output")
    expect(meaning).to_contain_text(re.compile(r"About .* of memory; with the .* of the rest"))
    expect(meaning).to_contain_text("for each worker, the most that one of them has held")
    expect(meaning).to_contain_text("killed at one and a half times their limit, they can take")
    expect(meaning).to_contain_text(re.compile(r"Up to [\d,.]+ tasks a second"))
    page.context.close()


def _age(own: Serving, pool: str) -> float:
    """Return for how many seconds the only worker of a pool has lived."""
    (worker,) = own.client.get(f"/api/v1/pools/{pool}").json()["workers"]
    return (datetime.now(UTC) - datetime.fromisoformat(worker["started_at"])).total_seconds()


def test_what_a_crash_took_along_names_the_culprit_and_comes_after_it(
    browser: Browser, own: Serving, complaints: list[str], flag: Path
) -> None:
    beside = [submitted(own, "shown.wait", str(flag)) for _ in range(2)]
    page_with(own.client, "/pools", beside[-1])
    eventually(lambda: _age(own, "io") > 7, "the worker was looked at, every two seconds")
    submitted(own, "shown.stray", "the ledger")
    for task in beside:
        assert own.client.get(f"/api/v1/tasks/{task}?wait=30").json()["future"] == "FINISHED"
    page = opened(browser, own, complaints, **DESK)
    page.goto("/?pool=io")
    rows = page.locator("#failing li")
    expect(rows).to_have_count(2)
    expect(rows.first.locator(".failing-words")).to_contain_text("while it ran this task")
    expect(rows.last).to_contain_text("Beside stray, which took their worker along")
    expect(rows.last.locator(".failing-number")).to_have_text("2")
    rows.last.locator(".failing-type").click()
    expect(page.locator(".group-incident")).to_contain_text("A worker died under stray")
    page.get_by_role("link", name="killed by SIGSEGV").click()
    expect(page.locator(".lead")).to_contain_text("It died of shown.stray")
    expect(page.locator("#given")).to_contain_text('"the ledger"')
    expect(page.locator("#last-lines")).to_contain_text("about to stray into the ledger")
    expect(page.locator("#vitals svg").first).to_be_visible()  # memory and CPU before its end
    page.context.close()
