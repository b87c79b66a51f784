"""An experiment from the form to its curves, on the pages of a real server in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pooldeck.cpus import usable_cpus
from tests.browser.looking import barriers, expect_live, watch
from tests.support.serving import Serving, serving

LONG = 60_000  # milliseconds that an experiment may take on a busy machine


@pytest.fixture(scope="module")
def trying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve the functions of shown.py alone: one experiment runs at a time."""
    folder = tmp_path_factory.mktemp("trying")
    (folder / "pooldeck.toml").write_text('functions = ["shown"]')
    with serving(folder, environment={"PYTHONPATH": str(Path(__file__).parent)}) as server:
        server.wait_until_ready()
        yield server


def opened(browser: Browser, server: Serving, complaints: list[str], **options: object) -> Page:
    address = str(server.client.base_url).rstrip("/")
    page = browser.new_page(base_url=address, **options)  # type: ignore[arg-type]  # any of its own
    watch(page, address, complaints)
    return page


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def begin(page: Page, threads: str) -> None:
    """Go from the list to the form, fill it in and send it."""
    page.goto("/experiments")
    page.get_by_role("link", name="New experiment").click()
    page.get_by_label("Function").select_option("shown.nap")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Samples").fill('[{"args": [0.01]}]')
    page.get_by_label("Threads").fill(threads)
    page.get_by_label("Seconds for each size").fill("0.5")
    page.get_by_role("button", name="Begin experiment").click()


def test_an_experiment_is_begun_followed_without_a_reload_and_compared(
    browser: Browser, trying: Serving
) -> None:
    complaints: list[str] = []
    page = opened(browser, trying, complaints, viewport={"width": 1280, "height": 900})
    begin(page, "1, 2, 4")
    expect(page.get_by_role("heading", level=1)).to_have_text("shown.nap")
    expect_live(page)
    expect(page.get_by_role("status").filter(has_text="Measuring")).to_be_visible()
    expect(page.locator(".experiment-facts .state")).to_have_text("finished", timeout=LONG)

    said = re.compile(r"^([124]) threads?: \d+ calls a second")  # fewer where the machine paused
    expect(page.locator(".conclusion")).to_have_text(said)
    knee = said.findall(page.locator(".conclusion").inner_text())[0]
    expect(page.locator("#throughput-chart canvas")).to_be_visible()
    expect(page.locator("#throughput-chart .knee-mark")).to_have_text(f"knee {knee}")
    expect(page.locator(".sizes-table tr[data-size]")).to_have_count(3)
    expect(page.locator("tr[data-knee] .cell-size")).to_contain_text(knee)
    page.locator("#throughput-chart .u-over").hover(position={"x": 5, "y": 40})
    expect(page.locator(".sizes-table tr[data-at]")).to_have_attribute("data-size", "1")
    assert barriers(page) == []

    begin(page, "1, 2")
    expect(page.locator(".experiment-facts .state")).to_have_text("finished", timeout=LONG)
    page.get_by_role("link", name="Compare").click()
    expect(page.locator(".sizes-table thead")).to_contain_text("Then")
    expect(page.locator(".curve-legend")).to_contain_text("the other experiment")
    expect(
        page.get_by_role("button", name=re.compile(r"^Resize io from \d+ to [12]"))
    ).to_be_visible()
    assert complaints == []
    page.close()


def test_a_running_experiment_is_stopped_from_its_page(browser: Browser, trying: Serving) -> None:
    complaints: list[str] = []
    page = opened(
        browser, trying, complaints, color_scheme="dark", viewport={"width": 360, "height": 740}
    )
    begin(page, ", ".join(str(size) for size in range(1, 20)))
    expect(page.locator(".sizes-table tr[data-size]").first).to_be_visible(timeout=LONG)
    assert fits(page)
    page.get_by_role("button", name="Stop experiment").click()
    expect(page.locator(".flash")).to_contain_text("was stopped")
    expect(page.locator(".experiment-facts .state")).to_have_text("stopped")
    assert barriers(page) == []
    for path in ("/experiments", "/experiments/new?function=shown.nap"):
        page.goto(path)
        assert fits(page), path
        assert barriers(page) == [], path
    assert complaints == []
    page.close()


def test_no_more_processes_are_offered_to_what_computes_than_there_are_cpus(
    browser: Browser, trying: Serving
) -> None:
    """It waits for so little that a process more than CPUs gets through a little more."""
    cpus = usable_cpus()
    sizes = sorted({1, cpus, cpus + 1})
    answer = trying.client.post(
        "/api/v1/experiments",
        json={
            "function": "shown.count",
            "samples": [{"args": [200_000, 0.002]}],
            "sizes": {"process": sizes},
            "seconds": 0.4,
            "warmup": 0.1,
        },
    )
    complaints: list[str] = []
    page = opened(browser, trying, complaints)
    page.goto(f"/experiments/{answer.json()['id']}")
    expect(page.locator(".experiment-facts .state")).to_have_text("finished", timeout=LONG)
    expect(page.locator(".sizes-table tr[data-size]")).to_have_count(len(sizes))
    found = re.match(r"(\d+) process", page.locator(".conclusion").inner_text())
    assert found is not None
    assert int(found[1]) <= cpus
    expect(page.get_by_text("That is more processes than")).to_have_count(0)
    expect(page.locator("#finding")).not_to_contain_text(f"to {cpus + 1}")
    assert complaints == []
    page.close()
