"""The chart of the deck in a real browser: what is chosen, the keyboard, the same words."""

import re

from playwright.sync_api import expect

from pooldeck_server.web.pages.deck.chart import amount
from pooldeck_server.web.pages.shared.tiles import spark
from tests.browser.looking import Open
from tests.support.serving import Serving


def test_the_chart_shows_what_is_chosen_and_the_address_says_so(
    open_page: Open, shown: Serving
) -> None:
    shown.run("shown.add", 1)
    page = open_page("/?pool=cpu")
    expect(page.locator("#chart canvas")).to_be_visible()
    page.get_by_label("Lines").select_option("state")
    expect(page.locator("#chart-table tbody th").first).to_have_text("succeeded")
    page.get_by_label("Series").select_option("memory")
    expect(page.get_by_label("Lines")).to_have_value("none")
    expect(page.locator("#chart-table td").first).to_have_text(re.compile("MiB|\u2013"))
    page.get_by_label("Period").select_option("900")
    expect(page).to_have_url(re.compile(r"series=memory.*period=900.*pool=cpu"))
    page.reload()
    expect(page.get_by_label("Series")).to_have_value("memory")
    expect(page.get_by_label("Period")).to_have_value("900")
    page.get_by_role("link", name="Pool cpu").click()
    expect(page.locator(".pool")).to_have_count(2)


def test_the_arrow_keys_go_along_the_chart(open_page: Open, shown: Serving) -> None:
    shown.run("shown.add", 1)
    page = open_page("/?period=900")
    expect(page.locator("#chart canvas")).to_be_visible()
    head = page.locator("#chart-at")
    expect(head).to_have_text("latest")
    page.locator("#chart").focus()
    page.keyboard.press("ArrowLeft")
    expect(head).to_have_text(re.compile(r"^\d\d:\d\d:\d0$"))
    before = head.inner_text()
    page.keyboard.press("ArrowLeft")
    expect(head).not_to_have_text(before)
    page.locator("#chart").blur()
    expect(head).to_have_text("latest")


UNITS = ["s", "bytes", "percent", "share", "per s", "tasks"]
VALUES = [None, 0, 0.004, 0.128, 0.96, 1, 3.25, 9.96, 12.5, 1234.4]


def test_the_browser_words_and_draws_charts_as_the_server_does(open_page: Open) -> None:
    page = open_page("/")
    module = page.locator('script[src$="/page.js"]').get_attribute("src") or ""
    said = page.evaluate(
        """async ([folder, units, values]) => {
            const { amount } = await import(`${folder}chart_values.js`);
            const { spark } = await import(`${folder}sparkline.js`);
            const known = values.filter((value) => value !== null);
            return [units.map((unit) => values.map((value) => amount(value, unit))), spark(known)];
        }""",
        [module.removesuffix("page.js"), UNITS, VALUES],
    )
    words = [[amount(value, unit) for value in VALUES] for unit in UNITS]
    assert said == [words, spark([value for value in VALUES if value is not None])]
