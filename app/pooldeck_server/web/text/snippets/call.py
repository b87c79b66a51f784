"""What a snippet spells: a call of the API, or a submission, and the server that it goes to."""

import json
import re
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

API: Final = "/api/v1"
LATER: Final = frozenset({"delay", "run_at"})  # the options of what one would wait for in vain
_CONTROLS: Final = re.compile(r"[\r\n\t]")


class Address(Struct, frozen=True):
    """Where a server is: its address without a slash at its end, and whether all show a token."""

    url: str
    asks_token: bool = False


class Call(Struct, frozen=True):
    """A call; `path` is that of its route, filled in, and `body` JSON as it is sent."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    @property
    def target(self) -> str:
        """Its path and query, escaped."""
        path = quote(self.path)
        return f"{path}?{urlencode(self.query)}" if self.query else path


class Snippet(Struct, frozen=True):
    """A text to copy: `name` is what it is for, as people call it."""

    name: str
    text: str

    @property
    def id(self) -> str:
        return self.name.lower().replace(" ", "-")


def on_one_line(text: str) -> str:
    """Return JSON that means the same and has nothing in it that cannot be printed."""
    if text.isprintable():
        return text
    text = _CONTROLS.sub(" ", text)  # strict JSON has these between values only
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def as_json(value: Any) -> str:
    """Return a value as JSON of one line."""
    return on_one_line(msgspec.json.encode(value).decode())
