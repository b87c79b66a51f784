"""A form that is refused: it leads to what is wrong, loses nothing, and is no dead end."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.serving import Serving


def _submit(page: Page) -> None:
    page.get_by_role("button", name="Submit task").click()


def test_a_refused_form_leads_to_its_first_mistake_and_back_and_reload_do_not_send_it_again(
    browser: Browser, shown: Serving
) -> None:
    with browser.new_page(base_url=str(shown.client.base_url)) as page:
        page.goto("/functions/shown.add")
        left, right = page.locator("#arg-left"), page.locator("#arg-right")
        expect(left).to_have_attribute("aria-required", "true")
        expect(page.locator("label[for=arg-left]")).to_contain_text("required")
        left.fill("4")
        right.fill("two")
        _submit(page)
        expect(page).to_have_title(re.compile("^Error: shown.add"))
        expect(right).to_be_focused()
        expect(right).to_have_accessible_description("two is not a whole number.")
        summary = page.get_by_role("alert").filter(has_text="Nothing was submitted")
        summary.get_by_role("link", name="right").click()
        expect(right).to_be_in_viewport()
        expect(left).to_have_value("4")
        right.fill("2")
        _submit(page)
        expect(page).to_have_url(re.compile("/tasks/"))
        page.go_back()
        expect(page).to_have_title(re.compile("^shown.add"))
        right.fill("two")
        left.fill("1")
        _submit(page)
        expect(page).to_have_title(re.compile("^Error: "))
        page.reload()
        expect(page).to_have_title(re.compile("^shown.add"))


def test_a_required_text_that_is_left_empty_is_asked_for_unless_that_is_meant(
    browser: Browser, shown: Serving
) -> None:
    with browser.new_page(base_url=str(shown.client.base_url)) as page:
        page.goto("/functions/shown.fail")
        _submit(page)
        word = page.locator("#arg-word")
        expect(word).to_be_focused()
        expect(word).to_have_accessible_description(re.compile("^This is needed"))
        page.get_by_label("an empty text is meant").check()
        _submit(page)
        expect(page).to_have_url(re.compile("/tasks/"))
        task = shown.client.get(
            "/api/v1" + page.url.partition(page.url.split("/tasks")[0])[2]
        ).json()
        assert task["kwargs"] == {"word": ""}


def test_an_option_that_is_wrong_is_shown_and_has_the_focus(
    browser: Browser, shown: Serving
) -> None:
    with browser.new_page(base_url=str(shown.client.base_url)) as page:
        page.goto("/functions/shown.add")
        page.locator("#arg-left").fill("1")
        page.locator("#options summary").click()
        page.locator("#priority").fill("900")
        _submit(page)
        expect(page.locator("#priority")).to_be_focused()
        expect(page.locator("#priority")).to_have_accessible_description(re.compile("100"))


@pytest.mark.parametrize(
    ("path", "button", "typed"),
    [
        ("/retention", "Set these rules", {"#functions": "a b c d"}),
        ("/tokens", "Make the token", {"#name": "two words", "#pools": "cpu"}),
        ("/alerts", "Add destination", {"#url": "ftp://acme", "#name": "ops"}),
        ("/alerts", "Save No backup", {"#quiet-no_backup": "soon"}),
    ],
)
def test_a_refused_form_of_settings_says_so_first_and_leads_to_the_field(
    browser: Browser, shown: Serving, path: str, button: str, typed: dict[str, str]
) -> None:
    """The first of the fields that are typed into is what is wrong."""
    wrong = next(iter(typed))
    with browser.new_page(base_url=str(shown.client.base_url)) as page:
        page.goto(path)
        for field, text in typed.items():
            page.locator(field).fill(text)
        page.get_by_role("button", name=button).click()
        expect(page).to_have_title(re.compile("^Error: "))
        expect(page.locator(wrong)).to_be_focused()
        expect(page.locator(wrong)).to_have_accessible_description(re.compile(r"^\w.+\.$"))
        for field, text in typed.items():
            expect(page.locator(field)).to_have_value(text)
        summary = page.get_by_role("alert").filter(has_text="Nothing was changed.")
        expect(summary).to_have_count(1)
        page.evaluate("scrollTo(0, 0)")
        expect(summary).to_be_in_viewport()
        summary.get_by_role("link").click()
        expect(page.locator(wrong)).to_be_in_viewport()
        page.reload()
        expect(page).not_to_have_title(re.compile("^Error: "))
        expect(summary).to_have_count(0)
