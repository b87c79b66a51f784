"""What tests in a browser share: opening, complaints, accessibility, the live connection."""

from collections.abc import Callable
from typing import Any, TypeAlias

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has none
from playwright.sync_api import ConsoleMessage, Page, Request, expect

from tests.support.serving import Serving

Open: TypeAlias = Callable[..., Page]


def watch(page: Page, address: str, complaints: list[str]) -> None:
    """Note what the console of `page` complains of, and which other servers it asks."""

    def note_message(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    def note_request(request: Request) -> None:
        if not request.url.startswith(address):
            complaints.append(request.url)

    page.on("console", note_message)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", note_request)


def expect_live(page: Page) -> None:
    """Wait until the page says that it hears the server."""
    expect(page.locator(".connection")).to_have_text("live")


def barriers(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe finds that keeps people out: rules, and where they are broken."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found]


def submitted(server: Serving, function: str, *args: object, **more: object) -> str:
    """Submit a task and return its id."""
    body = {"function": function, "args": args, **more}
    task_id: str = server.client.post("/api/v1/tasks", json=body).json()["id"]
    return task_id
