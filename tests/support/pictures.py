"""`make pictures`: the pictures of README and docs, taken from a server that really works.

It serves the examples, submits their tour and minutes of mixed work, crashes a worker, resizes a
pool, and looks at the pages with the browser that the tests use.
"""

import shutil
import sys
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, sync_playwright

from examples.pipeline import PIPELINE
from tests import ROOT
from tests.support.browsers import chromium
from tests.support.serving import Serving, serving

_IMAGES: Final = ROOT / "docs" / "images"
_WAVES: Final = 100
_WAVE_SECONDS: Final = 3.0
_LONGEST: Final = 120.0  # seconds that an experiment may take
_DECK: Final = "/?series=throughput&period=900&by=function"
_WIDE: Final = {"width": 1440, "height": 900}
_NARROW: Final = {"width": 390, "height": 844}


class Picture(NamedTuple):
    """A picture: its file's name, the page's path, and how the page is looked at."""

    name: str
    path: str
    theme: str = "light"
    viewport: dict[str, int] = _WIDE
    language: str = "en"
    is_whole: bool = False  # from top to bottom, not only what fits the window


def main(folder: Path) -> None:
    """Take the pictures, with a server whose data is in `folder`; what was there is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    options = ("--config", str(ROOT / "examples" / "pooldeck.toml"), "--data", str(folder))
    with serving(ROOT, *options) as server:
        server.wait_until_ready()
        for wave in range(_WAVES):
            _work(server, wave)
            time.sleep(_WAVE_SECONDS)  # the pictures show real time
        _experiment(server)
        _take(server, _pictures(server))


def _work(server: Serving, wave: int) -> None:
    """Submit a wave of mixed work; some waves bring a crash, a change of size, a failure."""
    tasks = [_task("web.fetch_pages", count=2 + wave % 5, latency=0.2 + 0.1 * n) for n in range(7)]
    tasks += [_task("computing.primes", limit=400_000 * (1 + n)) for n in range(4)]
    tasks += [_task("computing.count_words"), _task("warehouse.query_orders")]
    if wave % 3 == 0:
        tasks += [_task("failures.flaky"), _task("files.hash_folder"), _task("failures.chatty")]
    if wave % 6 == 2:
        tasks += [_task("failures.divide"), _task("pictures.resize_image")]
    if wave % 20 == 19:
        _post(server, "/api/v1/pipelines", PIPELINE)
    if wave in {40, 80}:
        tasks += [_task("failures.crash")]
    _post(server, "/api/v1/tasks/batch", {"tasks": tasks})
    if wave in {50, 90}:
        server.client.patch("/api/v1/pools/cpu", json={"size": 4 if wave == 50 else 3})


def _experiment(server: Serving) -> None:
    """Find out how many workers a function wants, with nothing beside it."""
    _wait_for_none(server, "/api/v1/tasks?state=queued&state=running&limit=1")
    samples = [{"kwargs": {"limit": 200_000}}]
    asked = {"function": "examples.computing.primes", "samples": samples}
    _post(server, "/api/v1/experiments", asked)
    until = time.monotonic() + _LONGEST
    while server.client.get("/api/v1/experiments").json()["items"][0]["state"] == "running":
        assert time.monotonic() < until
        time.sleep(0.5)


def _wait_for_none(server: Serving, path: str) -> None:
    until = time.monotonic() + _LONGEST
    while server.client.get(path).json()["items"]:
        assert time.monotonic() < until
        time.sleep(0.5)


def _keep_busy(server: Serving) -> None:
    """Let both pools have something to do for as long as a picture takes."""
    tasks = [_task("web.fetch_pages", count=9 + n, latency=0.3 + 0.05 * n) for n in range(11)]
    tasks += [_task("computing.primes", limit=120_000_000 + 10_000_000 * n) for n in range(6)]
    _post(server, "/api/v1/tasks/batch", {"tasks": [*tasks, _task("computing.count_words")]})


def _pictures(server: Serving) -> list[Picture]:
    ended = _newest(server, "/api/v1/tasks?function=examples.failures.chatty&limit=1")
    incident = _newest(server, "/api/v1/incidents?limit=1")
    experiment = _newest(server, "/api/v1/experiments")
    pipeline = _newest(server, "/api/v1/pipelines")
    return [
        Picture("deck", _DECK),
        Picture("deck-dark", _DECK, theme="dark"),
        Picture("deck-narrow", _DECK, viewport=_NARROW),
        Picture("deck-chinese", _DECK, language="zh-CN"),
        Picture("timeline", "/timeline"),
        Picture("tasks", "/tasks", theme="dark"),
        Picture("task", f"/tasks/{ended}", is_whole=True),
        Picture("errors", "/errors"),
        Picture("incident", f"/incidents/{incident}", is_whole=True),
        Picture("function", "/functions/examples.computing.primes"),
        Picture("advice", "/functions/examples.web.fetch_pages", is_whole=True),
        Picture("experiment", f"/experiments/{experiment}", is_whole=True),
        Picture("pipeline", f"/pipelines/{pipeline}"),
        Picture("pools", "/pools"),
    ]


def _take(server: Serving, pictures: list[Picture]) -> None:
    _IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for picture in pictures:
            _keep_busy(server)
            _take_one(browser, str(server.client.base_url), picture)
        browser.close()


def _take_one(browser: Browser, address: str, picture: Picture) -> None:
    look: dict[str, Any] = {"color_scheme": picture.theme, "locale": picture.language}
    context = browser.new_context(base_url=address, viewport=picture.viewport, **look)  # type: ignore[arg-type]  # a plain dict of numbers
    page = context.new_page()
    page.goto(picture.path)
    page.locator('.connection[data-connection="live"]').wait_for(state="attached")
    page.wait_for_timeout(1500)  # a few frames, and the chart's data
    page.screenshot(path=_IMAGES / f"{picture.name}.png", full_page=picture.is_whole)
    context.close()


def _newest(server: Serving, path: str) -> str:
    found: str = server.client.get(path).json()["items"][0]["id"]
    return found


def _task(name: str, **arguments: Any) -> dict[str, Any]:
    return {"function": f"examples.{name}", "kwargs": arguments, "tags": ["tour"]}


def _post(server: Serving, path: str, body: Any) -> None:
    server.client.post(path, json=body).raise_for_status()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
