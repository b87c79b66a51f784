"""Work of two kinds, split: threads read what is slow to get, processes compute, one task joins.

    list ──▶ read, one task for each file ──▶ count, one for each text ──▶ join

`PIPELINE` is the body that submits it, to `POST /api/v1/pipelines`.
"""

import logging
from collections import Counter
from pathlib import Path
from typing import Any, Final

from pooldeck import task

_log = logging.getLogger(__name__)

PIPELINE: Final[dict[str, Any]] = {
    "name": "words of all chapters",
    "tasks": {
        "list": {"function": "examples.pipeline.list_chapters"},
        "read": {
            "function": "examples.pipeline.read_text",
            "each": {"$result": "list"},
            "args": [{"$item": True}],
        },
        "count": {
            "function": "examples.pipeline.count_text",
            "each": {"$result": "read"},
            "args": [{"$item": True}],
            "on_failure": "skip",
        },
        "join": {
            "function": "examples.pipeline.add_up",
            "args": [{"$result": "count"}],
            "on_failure": "skip",
        },
    },
}


@task(pool="io")
def list_chapters(folder: str = "examples/data") -> list[str]:
    """Return the paths of the chapters in a folder.

    Args:
        folder: Where to look, relative to the directory that the server was started in.
    """
    return [str(path) for path in sorted(Path(folder).glob("chapter-*.txt"))]


@task(pool="io")
def read_text(path: str = "examples/data/chapter-01.txt") -> str:
    """Return what a file says, UTF-8: a thread waits for the disk, or for a network behind it.

    Args:
        path: The file.
    """
    text = Path(path).read_text(encoding="utf-8")
    _log.info("%s: %d characters", path, len(text))
    return text


@task(pool="cpu")
def count_text(text: str = "the pool and the deck") -> dict[str, int]:
    """Count how often each word occurs in a text: a process has a GIL of its own for that.

    Args:
        text: The text itself, as the step before returned it.
    """
    return dict(Counter(text.lower().split()))


@task(pool="cpu")
def add_up(counts: tuple[dict[str, int], ...] = (), top: int = 10) -> dict[str, int]:
    """Add counts of words up.

    Args:
        counts: Word → number of times, for each text.
        top: How many of the most frequent words to return.
    """
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(total.most_common(top))
