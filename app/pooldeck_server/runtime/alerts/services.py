"""Sends messages through Apprise, which knows mail, Slack, Teams and a hundred other services.

It is an extra, imported when it is first used. It reaches wherever an address of its own kind says,
so only an admin may name one, and what would act on this machine or post anywhere is refused.
"""

import asyncio
import importlib
from types import ModuleType
from typing import Final

from pooldeck_server.domain.alerts.deliveries import MAX_URL, Attempted
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.runtime.threads import in_thread

_SECONDS: Final = 60.0
_REFUSED: Final = frozenset(
    (
        *("dbus", "qt", "kde", "glib", "gnome", "macosx", "windows", "syslog", "file"),
        *("json", "jsons", "xml", "xmls", "form", "forms"),
    )
)
_MISSING: Final = "Apprise is not installed: pip install 'pooldeck[alerts]', then start the server"


def check_service(url: str) -> None:
    """Refuse an address that Apprise does not know, or that acts on this machine.

    Raises:
        InvalidRequest: Then, and where Apprise is not installed.
    """
    scheme = url.partition(":")[0].lower()
    if len(url) > MAX_URL or not url.isprintable():
        raise InvalidRequest(f"url: at most {MAX_URL} characters, on one line", field="/url")
    if scheme in _REFUSED:
        raise InvalidRequest(f"url: {scheme}:// is not for alerts; use a webhook", field="/url")
    apprise = _apprise()
    if apprise is None:
        raise InvalidRequest(f"kind: {_MISSING}", field="/kind")
    if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
        raise InvalidRequest("url: Apprise knows no such service, or it lacks a part", field="/url")


async def notify_service(url: str, title: str, text: str) -> Attempted:
    """Try to deliver once; whatever goes wrong is told by the answer."""

    def notify() -> Attempted:
        apprise = _apprise()
        if apprise is None:
            return Attempted(is_delivered=False, words=_MISSING)
        service = apprise.Apprise()
        if not service.add(url):
            return Attempted(is_delivered=False, words="Apprise does not know the service any more")
        done = bool(service.notify(title=title, body=text))
        return Attempted(done, "sent" if done else "the service did not take it")

    try:
        async with asyncio.timeout(_SECONDS):
            return await in_thread(notify, "alert-service")
    except TimeoutError:
        return Attempted(is_delivered=False, words=f"not done within {_SECONDS:g} s")
    except Exception as error:  # noqa: BLE001 - a hundred services, each with errors of its own
        return Attempted(is_delivered=False, words=type(error).__name__)


def _apprise() -> ModuleType | None:
    try:
        return importlib.import_module("apprise")
    except ImportError:
        return None
