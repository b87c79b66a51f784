"""A walk through the pages of a server, by the links that they hold."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

import httpx

_NO_ADDRESSES: Final = {"value", "content", "title", "placeholder", "d", "data-wanted"}


class _Addresses(HTMLParser):
    """Collects the paths that stand in attributes, whatever their names."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.all: list[str] = []
        self._is_blank = False  # within a template, whose links lead nowhere yet

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._is_blank = self._is_blank or tag == "template"
        for name, value in attributes:
            if name in _NO_ADDRESSES or not value or not value.startswith("/"):
                continue
            self.all.append(value)
            if (tag, name) == ("a", "href") and not self._is_blank:
                self.links.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._is_blank = self._is_blank and tag != "template"


def addresses(html: str) -> list[str]:
    """Return every path of a page: of links, forms, images, scripts, and those that scripts use."""
    parser = _Addresses()
    parser.feed(html)
    return parser.all


def walked(client: httpx.Client, start: str) -> Iterator[tuple[str, httpx.Response]]:
    """Yield the pages that can be reached from `start` by links, each kind of address once."""
    waiting, seen = [start], {_kind(start)}
    for path in waiting:  # which grows meanwhile
        answer = client.get(path, headers={"accept": "text/html"})
        yield path, answer
        parser = _Addresses()
        parser.feed(answer.text)
        for link in parser.links:
            found = urljoin(path, link).partition("#")[0]
            if _kind(found) not in seen:
                seen.add(_kind(found))
                waiting.append(found)


def _kind(path: str) -> tuple[str, ...]:
    """Return an address without what it is about, such as a task's id: one of each is enough."""
    first, *rest = path.partition("?")[0].strip("/").split("/")[1:] or [""]
    return first, str(len(rest)), *rest[1:]
