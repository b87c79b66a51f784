"""Hooks of mkdocs (see mkdocs.yml): pages that are made, and links that lead out of docs/."""

import posixpath
import re
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from bench.documents import filled
from pooldeck_server.main import create_app
from pooldeck_server.settings import Settings
from tests import ROOT
from tests.support.site.calls import described

CALLS: Final = "calls.md"
CHANGES: Final = "changes.md"
_LINK: Final = re.compile(r"(?<!!)\[([^\]]*)\]\((?!\w+:)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the changes, which stand at the top of the repository."""
    changes = (ROOT / "CHANGELOG.md").read_text().replace("](docs/", "](")
    files.append(File.generated(config, CHANGES, content=changes))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Fill the page of calls, and let only links within the site be links."""
    if page.file.src_uri == CALLS:
        document = create_app(Settings()).load().openapi()
        markdown = filled(markdown, "calls", described(document))
    return _within(markdown, posixpath.dirname(page.file.src_uri))


def _within(markdown: str, folder: str) -> str:
    """Return a page that names files of the repository, in place of leading to them."""

    def named(found: "re.Match[str]") -> str:
        place = posixpath.normpath(posixpath.join(folder, found[2]))
        if not place.startswith("../"):
            return found[0]
        name = place.removeprefix("../")
        return found[1] if name in found[1] else f"{found[1]} (`{name}`)"

    return _LINK.sub(named, markdown)
