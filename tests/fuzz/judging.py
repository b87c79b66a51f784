"""What holds for every answer, whatever was asked."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin, urlsplit

from tests.fuzz.sending import Reply

HOST: Final = "127.0.0.1"
"""Whom requests are for; nothing leads elsewhere from there."""

_MEANT: Final = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE}
_PROBLEM: Final = "application/problem+json"
_PAGE: Final = "text/html"
_STACK: Final = b"Traceback (most recent call last)"
_ALWAYS: Final = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "",
}


def complaints(reply: Reply, *, to_program: bool = False) -> Iterator[str]:
    """Yield what is wrong with an answer; a program wants no page, not even of an error."""
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR and reply.status not in _MEANT:
        yield "a defect of the server"
    if reply.status >= HTTPStatus.BAD_REQUEST:
        yield from _of_refusal(reply, may_be_page=not to_program)
    if reply.status in range(300, 400):
        yield from _of_redirect(reply)


def unguarded(reply: Reply) -> Iterator[str]:
    """Yield which headers are missing that every answer of the app has."""
    for name, part in _ALWAYS.items():
        value = reply.headers.get(name)
        if value is None or part not in value:
            yield f"the header {name} is {value}"


def _of_refusal(reply: Reply, *, may_be_page: bool) -> Iterator[str]:
    if reply.media_type == _PROBLEM:
        if reply.body and reply.code() is None:  # a HEAD has no body
            yield "a problem without its status and code"
        if _STACK in reply.body:
            yield "a problem with a stack trace"
    elif not (may_be_page and reply.media_type == _PAGE):
        yield f"{reply.status} as {reply.media_type}"


def _of_redirect(reply: Reply) -> Iterator[str]:
    location = reply.headers.get("location", "")
    to = urljoin(f"http://{HOST}/here", location.replace("\\", "/"))  # as browsers read it
    if urlsplit(to).netloc != HOST:
        yield f"it leads away, to {location!r}"
