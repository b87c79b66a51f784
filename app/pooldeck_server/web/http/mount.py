"""Where the server stands below its host: what comes in loses the prefix, what goes out gets it.

Everything else in the server is written as if it stood at the root, and names its pages by paths
such as "/tasks". The prefix is ASGI's `root_path`; scripts find it by themselves, in
`static/js/root.js`.
"""

import re
from collections.abc import Iterable
from typing import Final

from starlette.types import Scope

Header = tuple[bytes, bytes]

# The attributes that hold addresses, where they hold a path. In a text a quote is escaped.
_ADDRESS: Final = re.compile(
    r'(?<=\s)((?:href|src|(?:form)?action|data-(?:stream|source|from|earlier|copy-from))=")(?=/(?!/))'
)
_OWN_PATH: Final = "pooldeck.path"
_COOKIE_PATH: Final = re.compile(rb"(; Path=)/(?=;|$)")


def enter(scope: Scope, own: str, root_path: str) -> None:
    """Let a request be one for a server at `root_path`.

    `own` is the prefix that this server takes away where a proxy has left it; others arrive
    without.
    """
    path: str = scope["path"]
    if own and f"{path}/".startswith(f"{own}/"):
        path = path.removeprefix(own) or "/"
    scope["root_path"] = root_path
    scope["path"] = root_path + path
    scope[_OWN_PATH] = path


def root_path_of(scope: Scope) -> str:
    """Return the prefix of the server, also within what Starlette has mounted below it."""
    root_path: str = scope.get("app_root_path", scope["root_path"])
    return root_path


def path_of(scope: Scope) -> str:
    """Return the path of a request as the server's routes have it."""
    own: str | None = scope.get(_OWN_PATH)
    if own is not None:
        return own
    path: str = scope["path"]
    return path.removeprefix(root_path_of(scope))


def place_headers(headers: Iterable[Header], root_path: str) -> list[Header]:
    """Return the headers of an answer whose redirects and cookies stay below `root_path`."""
    root = root_path.encode()
    return [(name, _placed(name, value, root)) for name, value in headers]


def place_page(html: str, root_path: str) -> str:
    """Return a page whose links, forms, images and scripts are below `root_path`."""
    return _ADDRESS.sub(rf"\g<1>{root_path}", html) if root_path else html


def _placed(name: bytes, value: bytes, root: bytes) -> bytes:
    if name == b"location" and value.startswith(b"/"):
        return root + value
    if name == b"set-cookie":
        return _COOKIE_PATH.sub(rb"\g<1>" + root, value)
    return value
