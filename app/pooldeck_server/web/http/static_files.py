"""The files that pages load, under an address that changes with their content.

All of them share one version, part of the path, so that ES modules reach one another by relative
imports and every answer may be kept by browsers for as long as they like. They are read and
compressed once, with the first page, and answered from memory.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pooldeck_server.resources import resource
from pooldeck_server.web.http.routes import Routes
from pooldeck_server.web.text.i18n import ENGLISH, LANGUAGES, browser_words

_WORTH_IT: Final = 500  # bytes from which a file is sent compressed
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_SHEETS: Final = (
    "base",
    "frame",
    "notices",
    "marks",
    "colours",
    "ansi",
    "deck",
    "lists",
    "task",
    "form",
    "snippets",
)
"""The style sheets that every page has, as one file: in this order, later ones win."""

_IS_TEXT: Final = ("text/", "image/svg+xml", "application/json")


@dataclass(frozen=True)
class StaticFile:
    """A file as it is sent; `compressed` is None where that saves nothing."""

    media_type: str
    content: bytes
    compressed: bytes | None


def install(routes: Routes) -> None:
    """Serve the folder `static`; its address stands in `routes.state.static_path`."""
    contents = dict(_contents(resource("static")))
    routes.state.static_path = f"/static/{_version(contents)}"
    files = {path: _file(path, content) for path, content in contents.items()}
    routes.mount(routes.state.static_path, StaticFiles(files), name="static")


class StaticFiles:
    """An application that answers with files from memory, by paths such as "css/base.css"."""

    def __init__(self, files: Mapping[str, StaticFile]) -> None:
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope)
        path = scope["path"].removeprefix(scope["root_path"]).lstrip("/")
        if path not in self._files:
            raise HTTPException(404)
        if request.method not in {"GET", "HEAD"}:
            raise HTTPException(405)
        await _answer(self._files[path], request)(scope, receive, send)


def _answer(file: StaticFile, request: Request) -> Response:
    headers = {"vary": "accept-encoding"}
    content = file.content
    if file.compressed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        content = file.compressed
    return Response(content, headers=headers, media_type=file.media_type)


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield paths and contents: the folder's files, and what is made of them and of words."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()
    sheets = (folder / "css" / f"{name}.css" for name in _SHEETS)
    yield "css/all.css", b"\n".join(sheet.read_bytes() for sheet in sheets)
    for language in LANGUAGES:
        if language != ENGLISH:
            found = msgspec.json.encode(browser_words(language))
            yield f"words/{language}.js", b"globalThis.pooldeckWords = %s;\n" % found


def _file(path: str, content: bytes) -> StaticFile:
    suffix = Path(path).suffix
    media_type = _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    worth_it = media_type.startswith(_IS_TEXT) and len(content) >= _WORTH_IT
    return StaticFile(media_type, content, gzip.compress(content, 9) if worth_it else None)


def _version(contents: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in contents.items():
        digest.update(path.encode() + b"\0" + content)
    return digest.hexdigest()[:12]
