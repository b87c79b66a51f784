"""Every page in a real browser: accessible, in both themes, on a desk and on a phone."""

from collections import Counter
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import (
    LOOKS,
    NOTHING_IS_CUT,
    PHONE,
    Open,
    barriers,
    expect_live,
    submitted,
)
from tests.support.serving import Serving, serving


@LOOKS
def test_every_page_is_accessible_and_fits(
    open_page: Open, shown: Serving, flag: Path, look: dict[str, Any]
) -> None:
    running = submitted(shown, "shown.hold", str(flag))
    submitted(shown, "shown.wait", str(flag))
    failed = shown.run("shown.fail", "browser")["id"]
    told = shown.run("shown.tell", ["a line"])["id"]
    retried = shown.run("shown.stumble")["id"]
    died = shown.run("shown.die")["id"]
    incidents = shown.client.get("/api/v1/incidents").json()["items"]
    incident = next(each["id"] for each in incidents if each["culprit"]["task"] == died)
    shown.client.post(f"/api/v1/tasks/{retried}/retry", json={"reason": "once more " * 40})
    page = open_page("/", **look)
    paths = ["/", "/tasks", "/tasks?state=lost&tag=x", f"/tasks/{failed}"]
    paths += [
        f"/tasks/{told}",
        f"/tasks/{running}",
        f"/tasks/{running}/kill",
        f"/tasks/{running}/stack",
        f"/tasks/{retried}?did=retried&attempt=1",
        "/tasks/cancel?state=failed&q=x",
        "/tasks/retry?state=failed",
        "/tasks/delete?state=failed",
        f"/tasks/{failed}/delete",
        "/retention",
        "/tasks?did=many&retried=3",
        "/tasks?columns=id.state.function.tags.priority.attempt.ended",
        "/logs?q=line",
        "/incidents",
        f"/incidents/{incident}",
        "/functions",
        "/functions/shown.choose",
        "/functions/shown.stranded",
        "/pools",
        "/actions",
        "/alerts",
        "/drain",
        "/tokens",
        "/docs",
        "/docs/tasks#schema-Task",
    ]
    found = {}
    for path in paths:
        page.goto(path)
        expect_live(page)
        found[path] = barriers(page)
        for width in (look["viewport"]["width"], 768):
            page.set_viewport_size({"width": width, "height": look["viewport"]["height"]})
            fits = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert fits, (path, width)
        page.set_viewport_size(look["viewport"])
    assert found == {path: [] for path in paths}


def test_on_a_phone_no_table_of_runs_is_cut_and_no_hole_is_between_figures(
    open_page: Open, shown: Serving
) -> None:
    task = shown.run("shown.add", 1)["id"]
    page = open_page("/functions/shown.add", **PHONE)
    expect(page.locator(f"#latest-{task}")).to_be_visible()
    assert page.evaluate(NOTHING_IS_CUT)
    page.goto("/")
    tops = page.locator(".figures").first.evaluate(
        "each => [...each.children].map(figure => figure.offsetTop)"
    )
    assert set(Counter(tops).values()) == {3}


def test_pages_without_the_frame_are_accessible(browser: Browser, tmp_path: Path) -> None:
    token = "a-token-of-the-tests-long-enough"
    with serving(tmp_path, environment={"POOLDECK_TOKEN": token}) as server:
        page = browser.new_page(base_url=str(server.client.base_url))
        page.goto("/incidents/nothing")
        assert barriers(page) == []
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("link", name="Back to the deck")).to_be_visible()
        assert barriers(page) == []
        page.get_by_role("link", name="Back to the deck").click()
        expect_live(page)
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Token")).to_be_visible()
        page.close()


def test_a_chosen_theme_stays_and_system_follows_the_machine(open_page: Open) -> None:
    page = open_page("/", color_scheme="light")
    light = _ground(page)
    page.get_by_label("Theme").select_option("dark")
    dark = _ground(page)
    assert dark != light
    page.reload()
    assert _ground(page) == dark
    expect(page.get_by_label("Theme")).to_have_value("dark")
    page.get_by_label("Theme").select_option("system")
    assert _ground(page) == light
    page.emulate_media(color_scheme="dark")
    assert _ground(page) == dark


def _ground(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def test_the_page_is_true_without_javascript(open_page: Open, shown: Serving) -> None:
    task = shown.run("shown.add", 1)
    page = open_page("/tasks", java_script_enabled=False)
    expect(page.locator(f'[id="task-{task["id"]}"]')).to_be_visible()
    expect(page.locator(".connection")).to_have_text("not live")
    expect(page.get_by_label("Theme")).to_be_hidden()
