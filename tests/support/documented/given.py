"""What examples of Python take for granted, since the text around them says it."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Final

from tests.support.documented.blocks import Block

MODULES: Final[Mapping[str, str]] = {
    "shop.py": """
        class Money:
            def __init__(self, cents: int) -> None:
                self.cents = cents
    """,
}
"""Modules of one's own that are named, by their files."""

_BEFORE: Final[Mapping[tuple[str, str], str]] = {
    ("docs/logs.md", "logging.basicConfig"): "import logging",
    ("docs/placement.md", "@task(safe_in"): "from pooldeck import task",
    ("docs/resources.md", "from sqlalchemy"): "from pooldeck import resource, task",
    ("docs/resources.md", "import atexit"): """
        from types import SimpleNamespace

        from pooldeck import task

        client = SimpleNamespace(post=lambda url, json: None)
    """,
    ("docs/shared.md", "if answer.status"): """
        from types import SimpleNamespace

        from pooldeck import current_task

        answer = SimpleNamespace(status=429, headers={"Retry-After": "2"})
        limiter = SimpleNamespace(pause=lambda seconds: None)
    """,
}


def before(block: Block) -> str:
    """Return what stands before an example, such as imports that an earlier one had."""
    given = (
        text
        for (document, begins), text in _BEFORE.items()
        if document == block.document and block.text.startswith(begins)
    )
    return "".join(f"{dedent(text).strip()}\n" for text in given)


def write_modules(folder: Path) -> None:
    for name, text in MODULES.items():
        (folder / name).write_text(dedent(text))
