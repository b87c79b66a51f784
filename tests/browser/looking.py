"""What tests in a browser share: opening, complaints, accessibility, the live connection."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]  # has none
from playwright.sync_api import ConsoleMessage, Error, Page, Request, expect

from tests.support.serving import Serving

Open: TypeAlias = Callable[..., Page]
DESK: Final[dict[str, Any]] = {
    "color_scheme": "light",
    "viewport": {"width": 1280, "height": 800},
}
PHONE: Final[dict[str, Any]] = {
    "color_scheme": "dark",
    "viewport": {"width": 360, "height": 740},
}
# What a test of pages is run with: the narrow and dark one always, the other in `make test-all`.
LOOKS: Final = pytest.mark.parametrize(
    "look",
    [
        pytest.param(PHONE, id="dark-phone"),
        pytest.param(DESK, id="light-desk", marks=pytest.mark.soak),
    ],
)


# In a page: whether all that is shown and could be scrolled sideways is in sight as it is.
NOTHING_IS_CUT: Final = """
[...document.querySelectorAll(".scroll")]
  .every(each => !each.checkVisibility() || each.scrollWidth <= each.clientWidth)
"""


def watch(page: Page, address: str, complaints: list[str]) -> Callable[[], None]:
    """Note what the console of `page` complains of, and which other servers it asks.

    Return what ends that.
    """

    def note_message(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    def note_request(request: Request) -> None:
        if not request.url.startswith(address):
            complaints.append(request.url)

    def note_error(error: Error) -> None:
        complaints.append(str(error))

    def unwatch() -> None:
        page.remove_listener("console", note_message)
        page.remove_listener("pageerror", note_error)
        page.remove_listener("request", note_request)

    page.on("console", note_message)
    page.on("pageerror", note_error)
    page.on("request", note_request)
    return unwatch


def expect_live(page: Page) -> None:
    """Wait until the page says that it hears the server."""
    expect(page.locator(".connection")).to_have_text("live")


_PRESS: Final = """keys => {
  for (const key of keys)
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}"""


def press_at_once(page: Page, *keys: str) -> None:
    """Press keys one after the other, in as little time as a hand takes.

    Presses that are sent one by one are too far apart on a busy machine.
    """
    expect(page.locator("#keys-hint")).to_be_visible()  # the keys work by then
    page.evaluate(_PRESS, list(keys))


# Those of axe that are on by themselves, and of WCAG 2.2 those that are not; what it finds in order
# is half of its work, and most of its answer.
_OPTIONS: Final = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"]}
_AXE: Final = """async options => {
  const { violations } = await axe.run(options);
  return violations.map(({ id, nodes }) => [id, nodes.map(node => node.html.slice(0, 200))]);
}"""


def barriers(page: Page, *only: str) -> list[tuple[str, list[str]]]:
    """Return what axe finds that keeps people out: rules, and where they are broken.

    With `only`, ask for these rules of axe and no other.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {**_OPTIONS, "runOnly": only} if only else _OPTIONS
    found: list[list[Any]] = page.evaluate(_AXE, options)
    return [(rule, places) for rule, places in found]


def submitted(server: Serving, function: str, *args: object, **more: object) -> str:
    """Submit a task and return its id."""
    body = {"function": function, "args": args, **more}
    task_id: str = server.client.post("/api/v1/tasks", json=body).json()["id"]
    return task_id
