"""Pipelines in a real browser: the drawing is live, can be reached by keys, and fits a phone."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.looking import DESK, LOOKS, NOTHING_IS_CUT, Open, barriers, expect_live
from tests.support.serving import Serving


def _submitted(shown: Serving, gate: Path) -> dict[str, Any]:
    """Submit a pipeline that goes on when the file `gate` is there."""
    steps = {
        "gate": {"function": "shown.wait", "args": [str(gate)]},
        "sums": {"function": "shown.add", "args": [{"$item": True}], "each": [1, 2, 3]},
        "join": {"function": "shown.tell", "args": [["done"]], "after": ["gate", "sums"]},
    }
    answer = shown.client.post("/api/v1/pipelines", json={"tasks": steps, "name": "a gate"})
    sent: dict[str, Any] = answer.json()
    return sent


def _expect_in_order(page: Page) -> None:
    expect_live(page)
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@LOOKS
def test_a_pipeline_is_drawn_and_follows_what_happens(
    open_page: Open, shown: Serving, tmp_path: Path, look: dict[str, Any]
) -> None:
    gate = tmp_path / "gate"
    sent = _submitted(shown, gate)
    page = open_page("/pipelines", **look)
    expect(page.locator("main h1")).to_have_text("Pipelines")
    _expect_in_order(page)
    assert page.evaluate(NOTHING_IS_CUT)
    page.locator(f"#pipeline-{sent['id']}").click()
    boxes = page.locator(".graph-box")
    expect(boxes).to_have_count(3)
    expect(page.get_by_role("link", name="join: shown.tell, scheduled")).to_be_visible()
    _expect_in_order(page)
    gate.write_text("open")
    expect(page.get_by_role("link", name="join: shown.tell, succeeded")).to_be_visible()
    expect(page.locator(".task-state")).to_contain_text("succeeded")
    page.get_by_role("link", name="join: shown.tell, succeeded").press("Enter")
    expect(page.locator("#links-heading")).to_contain_text("a gate")
    _expect_in_order(page)


def test_a_pipeline_is_cancelled_after_a_question(
    open_page: Open, shown: Serving, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    sent = _submitted(shown, gate)
    page = open_page(f"/pipelines/{sent['id']}", **DESK)
    page.locator("#cancel").click()
    expect(page.locator("h1")).to_have_text("Cancel a gate?")
    _expect_in_order(page)
    page.locator("#confirm").click()
    expect(page.locator(".flash")).to_contain_text("cancelled")
    expect(page.get_by_role("link", name="join: shown.tell, cancelled")).to_be_visible()
    gate.write_text("open")  # its wait looks at no request to end
