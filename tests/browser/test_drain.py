"""A drain of the server on pages that are open meanwhile."""

import httpx
from playwright.sync_api import expect

from tests.browser.looking import Open, barriers, expect_live


def test_an_open_page_tells_of_a_drain_counts_it_down_and_takes_it_back(
    open_page: Open, client: httpx.Client
) -> None:
    page = open_page("/tasks", viewport={"width": 360, "height": 740})
    expect_live(page)
    order = {"reason": "new disk", "seconds": 7200}
    try:
        assert client.post("/api/v1/server/drain", json=order).status_code == 200
        notice = page.locator("#notices li", has_text="drained by")
        expect(notice).to_contain_text("(new disk)")
        countdown = notice.locator("[data-remaining]")
        expect(countdown).to_contain_text("1 h 59 min")
        assert client.post("/api/v1/server/drain", json={"seconds": 600}).status_code == 200
        expect(countdown).to_contain_text("9 min")
        first = countdown.text_content()
        expect(countdown).not_to_have_text(first or "")
        page.locator("#notices-fold > summary").click()
        notice.get_by_role("link").first.click()
        expect(page.locator("h1")).to_have_text("The server is drained")
        assert barriers(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("button", name="Resume").click()
        expect(page.locator(".flash")).to_have_text("The server takes tasks again.")
        expect(page.locator("#notices li", has_text="drained by")).to_have_count(0)
        expect(page.get_by_label("Minutes that it may take")).to_be_visible()
        assert barriers(page) == []
    finally:
        client.post("/api/v1/server/resume")
