"""Templates and the values that they show: each names exactly what the other has."""

import re
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from typing import Final

import pytest
from jinja2 import meta, nodes

from pooldeck_server.resources import resource
from pooldeck_server.web import pages
from pooldeck_server.web.pages.shared.rendering import Fragment, Page, environment

AROUND: Final = {
    *{"static", "language", "languages", "here", "sees_values"},
    *{"zone", "zone_choice", "method"},
}
FRAME: Final = {
    *{"navigation", "section", "flashed", "strip", "attention", "now"},
    *{"has_session", "is_open", "principal", "may_manage_tokens", "reference"},
}
TEMPLATES: Final = resource("templates")


def shown(base: type[Fragment] = Fragment) -> Iterator[type[Fragment]]:
    """Yield every kind of value that a template shows."""
    for kind in base.__subclasses__():
        if hasattr(kind, "template") and not kind.__subclasses__():
            yield kind
        yield from shown(kind)


import_module("pooldeck_server.web.routing")  # which has all pages
SHOWN: Final = sorted(shown(), key=lambda kind: kind.__name__)


def parts(template: str) -> Iterator[tuple[str, nodes.Template]]:
    """Yield a template, those that it extends and those that it includes, parsed."""
    parsed = environment().parse((TEMPLATES / template).read_text())
    yield template, parsed
    above = [node.template for node in parsed.find_all(nodes.Extends)]
    inside = [node.template for node in parsed.find_all(nodes.Include)]
    for each in above + inside:
        assert isinstance(each, nodes.Const)
        yield from parts(each.value)


def names(template: str) -> set[str]:
    """Return the variables that a template and its parts need."""
    found: set[str] = set()
    for _name, part in parts(template):
        own = {each.name for each in part.find_all(nodes.Name) if each.ctx == "store"}
        own |= {each.name for each in part.find_all(nodes.Macro)}
        for imported in part.find_all(nodes.FromImport):
            own |= {each[1] if isinstance(each, tuple) else each for each in imported.names}
        found |= meta.find_undeclared_variables(part) - own
    return found - environment().globals.keys()


@pytest.mark.parametrize("kind", SHOWN, ids=lambda kind: kind.__name__)
def test_a_template_shows_all_that_its_value_has_and_nothing_else(kind: type[Fragment]) -> None:
    given = {field.name for field in fields(kind)}
    around = AROUND | (FRAME if issubclass(kind, Page) else set())
    assert not given & around
    assert names(kind.template) - around == given


def test_every_template_is_shown_by_a_value_or_is_part_of_one_that_is() -> None:
    used = {name for kind in SHOWN for name, _part in parts(kind.template)}
    texts = [path.read_text() for path in TEMPLATES.rglob("*.html")]
    used |= {name for text in texts for name in re.findall(r'from "([^"]+)" import', text)}
    assert {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html")} == used


def test_every_page_belongs_to_an_entry_of_the_navigation() -> None:
    sections = {kind.section for kind in SHOWN if issubclass(kind, Page)}
    assert sections == {screen.name for screen in pages.NAVIGATION}


def test_every_entry_of_the_navigation_has_an_icon_and_a_key_of_its_own() -> None:
    icons = re.findall(r'<symbol id="([^"]+)"', (resource("static") / "img/icons.svg").read_text())
    assert sorted(icons) == sorted(screen.name for screen in pages.NAVIGATION)
    keys = [screen.key for screen in pages.NAVIGATION]
    assert len(set(keys)) == len(keys)
