"""A real server, a real browser, and pages that must not complain nor ask anybody else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.looking import Open, watch
from tests.support.browsers import chromium
from tests.support.serving import Serving, serving

expect.set_options(timeout=30_000)  # milliseconds: a busy machine may pause for seconds
_CONFIG = """
functions = ["shown"]
access = "open"
trusted_proxies = ["127.0.0.1"]

[pools.io]
kind = "thread"
size = 4

[pools.cpu]
kind = "process"
size = 2
"""


@pytest.fixture(scope="package")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve the functions of shown.py in two small pools, once for all tests of pages."""
    folder = tmp_path_factory.mktemp("shown")
    (folder / "pooldeck.toml").write_text(_CONFIG)
    with serving(folder, environment={"PYTHONPATH": str(Path(__file__).parent)}) as server:
        server.wait_until_ready()
        yield server


@pytest.fixture
def client(shown: Serving) -> httpx.Client:
    """Return a client of the server that is shown."""
    return shown.client


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start the Chromium that is installed.

    Not for the session: while it is there, this thread has a running event loop.
    """
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium on PATH")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser, shown: Serving) -> Iterator[Open]:
    """Open pages; at the end none of them may have complained or asked another server."""
    address = str(shown.client.base_url).rstrip("/")
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(path: str = "/", **options: Any) -> Page:
        context = browser.new_context(base_url=address, **options)
        contexts.append(context)
        page = context.new_page()
        watch(page, address, complaints)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def flag(tmp_path: Path) -> Iterator[Path]:
    """Name a file that tasks wait for; it is there at the latest when the test ends."""
    path = tmp_path / "go"
    yield path
    path.touch()
