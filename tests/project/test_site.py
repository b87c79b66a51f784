"""The documentation as a site: complete, no broken link, nothing loaded from elsewhere."""

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest

import pooldeck
from tests import ROOT
from tests.support.site.calls import described

DOCS: Final = ROOT / "docs"
_LOADING: Final = {
    *{("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("object", "data")},
    ("link", "href"),
}
_ONLY_NAMED: Final = {"canonical", "alternate", "next", "prev", "edit"}  # kinds of <link>
_NOWHERE: Final = ("absent.md", "glossary.md#absent")
_FROM_STYLES: Final = re.compile(r"(?:url\(|@import)\s*[\"']?\s*(?:https?:)?//")


class _Loads(HTMLParser):
    """Collects what a page has the browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "link" and given.get("rel") in _ONLY_NAMED:
            return
        self.found += [
            value for name, value in attributes if value is not None and (tag, name) in _LOADING
        ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT, folder)
    assert built.returncode == 0, built.stderr
    return folder


def build(place: Path, site: Path) -> "subprocess.CompletedProcess[str]":
    """Build the site; with `--quiet`, warnings would not count."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    return subprocess.run(
        command,
        cwd=place,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


@pytest.mark.soak
def test_the_site_builds_strictly_and_has_every_page(site: Path) -> None:
    pages = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")}

    named = {name.replace("README", "index") for name in pages} | {"changes.html"}
    assert named <= {path.relative_to(site).as_posix() for path in site.rglob("*.html")}


@pytest.mark.soak
def test_each_link_that_leads_nowhere_is_a_warning_which_fails_the_build(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    hooks = Path("tests", "support", "site", "hooks.py")
    (tmp_path / hooks).parent.mkdir(parents=True)
    shutil.copy(ROOT / hooks, tmp_path / hooks)
    with (tmp_path / "docs" / "index.md").open("a") as index:
        index.write("\n" + "".join(f"[Nowhere]({link})\n" for link in _NOWHERE))

    built = build(tmp_path, tmp_path / "site")

    said = [line for line in built.stderr.splitlines() if "absent" in line]
    assert built.returncode != 0
    assert all(line.startswith("WARNING") for line in said)
    assert [link for link in _NOWHERE if any(link in line for line in said)] == [*_NOWHERE]


@pytest.mark.soak
def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    loads: dict[str, list[str]] = {}
    for page in site.rglob("*.html"):
        parser = _Loads()
        parser.feed(page.read_text())
        loads[page.name] = parser.found
    styles = [path.name for path in site.rglob("*.css") if _FROM_STYLES.search(path.read_text())]

    assert any(loads["index.html"]), "the pages load their own styles"
    foreign = [each for found in loads.values() for each in found if re.match(r"(\w+:)?//", each)]
    assert (foreign, styles) == ([], [])


@pytest.mark.soak
def test_the_site_has_the_docstrings_of_the_library_and_the_calls_of_the_api(site: Path) -> None:
    library, calls = ((site / f"{name}.html").read_text() for name in ("library", "calls"))

    assert all(f'id="pooldeck.{name}"' in library for name in pooldeck.__all__)
    assert "Register a function, so that it can be called by name" in library
    assert 'id="pooldeck.Client.submit"' in library, "what is inherited is there, too"
    assert "POST /api/v1/tasks/batch" in calls
    assert 'id="schema-submission"' in calls


def test_each_public_name_of_the_library_is_on_its_page() -> None:
    page = (DOCS / "library.md").read_text()

    assert [name for name in pooldeck.__all__ if f"::: pooldeck.{name}\n" not in page] == []


def test_each_page_is_in_the_navigation_of_the_site() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text().partition("not_in_nav")[0]
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]

    assert [name for name in pages if f": {name}\n" not in navigation and "/00" not in name] == []


SMALL: Final[dict[str, Any]] = {
    "tags": [{"name": "tasks", "description": "Submit tasks."}],
    "paths": {
        "/tasks": {
            "post": {
                "tags": ["tasks"],
                "operationId": "submit",
                "summary": "Submit",
                "description": "Submit one.",
                "parameters": [
                    {"name": "wait", "in": "query", "schema": {"type": "number", "minimum": 0}}
                ],
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/Task"},
                            "example": {"function": "a.b"},
                        }
                    }
                },
                "responses": {"202": {"description": "Stored | kept."}},
            }
        }
    },
    "components": {
        "schemas": {
            "Task": {
                "type": "object",
                "description": "One task.",
                "required": ["function"],
                "properties": {
                    "function": {"type": "string", "maxLength": 9},
                    "after": {"type": "array", "items": {"$ref": "#/components/schemas/Task"}},
                    "pool": {"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}], "default": None},
                },
            }
        }
    },
}


def test_a_call_is_described_with_what_it_takes_and_what_it_answers() -> None:
    page = described(SMALL)

    assert "### `POST /tasks` { #submit }\n\nSubmit one.\n" in page
    assert "| `wait` | query | number, from 0 |  |  |" in page
    assert "**Body**: [Task](#schema-task) (`application/json`)" in page
    assert json.dumps({"function": "a.b"}, indent=2) in page
    assert "| 202 |  | Stored \\| kept. |" in page


def test_a_schema_is_described_field_by_field() -> None:
    page = described(SMALL).partition("### Task { #schema-task }")[2]

    assert "One task." in page
    assert "| `function` | string, at most 9 characters | required |  |" in page
    assert "| `after` | array of [Task](#schema-task) |  |  |" in page
    assert '| `pool` | `"a"` or `"b"` or null | `null` |  |' in page
