"""Comments of scripts, style sheets and templates that name files name files that exist."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests import ROOT

COMMENTS: Final = {
    "static/js/*.js": re.compile(r"(?<!:)//.*"),
    "static/css/*.css": re.compile(r"/\*.*?\*/", re.DOTALL),
    "templates/**/*.html": re.compile(r"\{#.*?#\}", re.DOTALL),
}
NAMED: Final = re.compile(r"[\w/.-]+\.(?:js|css|py|html|svg)\b")
FOLDERS: Final = (".", "static", "static/js", "static/css", "templates")
FILES: Final = [(path, comment) for glob, comment in COMMENTS.items() for path in ROOT.glob(glob)]


def named(path: Path, comment: re.Pattern[str]) -> set[str]:
    """Return the files that the comments of one name."""
    return set(NAMED.findall("\n".join(comment.findall(path.read_text()))))


@pytest.mark.parametrize(("path", "comment"), FILES, ids=lambda each: getattr(each, "name", ""))
def test_files_that_comments_name_exist(path: Path, comment: re.Pattern[str]) -> None:
    for name in named(path, comment):
        assert any((ROOT / folder / name).is_file() for folder in FOLDERS), name


def test_comments_do_name_files() -> None:
    assert len({name for each in FILES for name in named(*each)}) > 5
