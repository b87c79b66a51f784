"""A real browser, and pages that must not complain nor look anywhere else."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from serving import Serving

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the Chromium that is installed."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on PATH")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser, shown: Serving) -> Iterator[Open]:
    """Open pages; at the end none of them may have complained or asked another server."""
    address = str(shown.client.base_url).rstrip("/")
    contexts = []
    complaints: list[str] = []

    def open_page(path: str = "/", **options: object) -> Page:
        context = browser.new_context(base_url=address, **options)  # type: ignore[arg-type]  # passed on as they are
        contexts.append(context)
        page = context.new_page()
        watch(page, address, complaints)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def watch(page: Page, address: str, complaints: list[str]) -> None:
    """Note what the console says and which other servers are asked."""
    page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(address) else complaints.append(request.url))


@pytest.fixture
def flag(tmp_path: Path) -> Iterator[Path]:
    """Name a file that tasks wait for; it is there at the latest when the test ends."""
    path = tmp_path / "go"
    yield path
    path.touch()
