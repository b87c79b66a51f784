"""What is copied from pages: as it stands in the form, without leaving it, and without a script."""

import json
import shlex

from playwright.sync_api import Browser, expect

from tests.browser.looking import Open
from tests.support.serving import Serving

_CLIPBOARD = ["clipboard-read", "clipboard-write"]


def body_of(line: str) -> dict[str, object]:
    """Return what a line for curl sends."""
    words = shlex.split(line.replace("\\\n", ""))
    found: dict[str, object] = json.loads(words[words.index("-d") + 1])
    return found


def test_a_form_is_copied_as_it_is_at_that_moment(open_page: Open) -> None:
    page = open_page("/functions/shown.fail", permissions=_CLIPBOARD)
    page.locator("#arg-word").fill("it's\nnew")
    page.locator("#spell").click()

    page.locator("#copy-typed-curl").click()

    expect(page.locator("#copy-typed-curl")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert body_of(copied) == {"function": "shown.fail", "kwargs": {"word": "it's\nnew"}}
    expect(page.locator("#arg-word")).to_have_value("it's\nnew")
    assert page.url.endswith("/functions/shown.fail")

    page.locator("#arg-word").fill("newer")
    expect(page.locator("#typed-snippets")).to_have_count(0)


def test_what_is_wrong_with_a_form_is_said_beside_the_field(
    browser: Browser, shown: Serving
) -> None:
    with browser.new_page(base_url=str(shown.client.base_url)) as page:  # 422 is a complaint
        page.goto("/functions/shown.add")
        page.locator("#arg-left").fill("x")
        page.locator("#spell").click()
        expect(page.locator(".field-error")).to_have_text("x is not a whole number.")
        expect(page.locator("#typed-snippets")).to_have_count(0)


def test_a_form_is_copied_without_javascript(open_page: Open) -> None:
    page = open_page("/functions/shown.add", java_script_enabled=False)
    page.locator("#arg-left").fill("7")
    page.locator("#spell").click()
    expect(page.locator("#typed-curl")).to_contain_text('"left":7')
    expect(page.locator("#arg-left")).to_have_value("7")
    expect(page.locator("#copy-typed-curl")).to_be_hidden()


def test_the_menu_of_a_task_stays_open_by_keyboard_while_the_page_is_kept_true(
    open_page: Open, shown: Serving
) -> None:
    task = shown.run("shown.add", 1)
    page = open_page(f"/tasks/{task['id']}")
    page.locator("#task-snippets > summary").press("Enter")
    expect(page.locator("#again-task-python")).to_be_visible()


def test_a_value_that_a_call_names_is_opened_where_it_is_followed(open_page: Open) -> None:
    page = open_page("/docs/tasks")
    expect(page.locator("#schema-Task > .scroll")).to_be_hidden()
    page.locator('#get-task a[href="#schema-Task"]').click()
    expect(page.locator("#schema-Task > .scroll")).to_be_visible()
