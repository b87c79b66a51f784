"""What the deck costs a browser while 5,000 tasks a second run, and how soon it shows a change.

It needs the Chromium and the Playwright that the tests use; without them it measures nothing.
"""

import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

from playwright.sync_api import CDPSession, Page, sync_playwright

from bench.batches import NOOP
from bench.figures import Figure
from bench.load import Plan, generate, post
from bench.processes import Pooldeck, pooldeck
from bench.scale import Scale
from tests.support.browsers import chromium

_BATCH = 1000
_PAUSE = 0.2  # seconds between two batches: 5,000 tasks a second
_CHANGES = 20
_SETTLING = 5.0  # seconds until the page has loaded, and the load is steady
_MEBIBYTE = 1024 * 1024


def measure(scale: Scale) -> list[Figure]:
    """Measure an open deck under load: its main thread, its memory, and the delay of a change."""
    browser_path = chromium()
    if browser_path is None:
        print("the deck in a browser is not measured: Chromium missing")
        return []
    with pooldeck(scale.folder / "browser") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(base_url=f"http://127.0.0.1:{server.port}")
        page.goto("/")
        page.locator('.connection[data-connection="live"]').wait_for(state="attached")
        delays = _delays(server, page)
        with _loaded(server, scale.browser_seconds):
            figures = _costs(page.context.new_cdp_session(page), scale.browser_seconds)
        browser.close()
    return [
        *figures,
        Figure("a change until it is on the page", statistics.median(delays), "ms", at_most=500),
        Figure("  the slowest", max(delays), "ms"),
    ]


@contextmanager
def _loaded(server: Pooldeck, seconds: float) -> Iterator[None]:
    """Submit 5,000 no-ops a second meanwhile."""
    request = post("/api/v1/tasks/batch", {"tasks": [{"function": NOOP}] * _BATCH})
    count = int((seconds + 2 * _SETTLING) / _PAUSE)
    plan = Plan(server.port, [request], count, pause=_PAUSE, seconds=seconds + 2 * _SETTLING)
    thread = threading.Thread(target=generate, args=(plan, [202]))
    thread.start()
    time.sleep(_SETTLING)
    yield
    thread.join()


def _costs(session: CDPSession, seconds: float) -> list[Figure]:
    session.send("Performance.enable")
    began, before = time.monotonic(), _metrics(session)
    time.sleep(seconds)
    after = _metrics(session)
    busy = (after["TaskDuration"] - before["TaskDuration"]) / (time.monotonic() - began)
    first, last = (each["JSHeapUsedSize"] / _MEBIBYTE for each in (before, after))
    return [
        Figure("deck at 5,000 tasks/s: main thread of the browser", 100 * busy, "%", at_most=15),
        Figure("  its memory at first", first, "MiB"),
        Figure(f"  and {seconds:.0f} s later", last, "MiB"),
    ]


def _metrics(session: CDPSession) -> dict[str, float]:
    """Return what the page has used so far, after its garbage was collected."""
    session.send("HeapProfiler.collectGarbage")
    found = session.send("Performance.getMetrics")["metrics"]
    return {each["name"]: each["value"] for each in found}


def _delays(server: Pooldeck, page: Page) -> list[float]:
    """Return the milliseconds from each pause and resumption until the deck shows it."""
    delays = []
    for number in range(_CHANGES):
        state = "paused" if number % 2 == 0 else "running"
        _set_paused(server, is_paused=state == "paused")
        began = time.monotonic()
        page.locator(f'[data-pool="cpu"][data-state="{state}"]').wait_for(state="attached")
        delays.append(1000 * (time.monotonic() - began))
    return delays


def _set_paused(server: Pooldeck, *, is_paused: bool) -> None:
    url = f"http://127.0.0.1:{server.port}/api/v1/pools/cpu"
    body = json.dumps({"paused": is_paused}).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(url, body, headers, method="PATCH")) as answer:
        answer.read()
