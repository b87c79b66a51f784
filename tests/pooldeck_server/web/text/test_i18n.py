"""The words of the pages: looked up, filled in, and all of them translated."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from pooldeck_server.resources import resource
from pooldeck_server.web.pages.shared.rendering import environment
from pooldeck_server.web.text import formats, i18n
from pooldeck_server.web.text.i18n import (
    LANGUAGES,
    browser_words,
    catalogue,
    gettext,
    ngettext,
    speaking,
    strings,
)
from tests.support.catalogues import extracted, is_translated

OTHERS = [name for name in LANGUAGES if name != "en"]
NAMES = {
    "Pooldeck",
    "Future",
    "CPU",
    "UTC",
    "JSON",
    "Enter",
    "POOLDECK_TOKEN",
    "HTTP",
    "API",
    "BrokenProcessPool",
}
"""What is called the same in every language."""

TEMPLATES = sorted(resource("templates").rglob("*.html"))
ATTRIBUTE = re.compile(r'[\w-]+="[^"]*"|\bautofocus\b')  # which a block or a macro puts into a tag
PLACE = re.compile(r"%\((\w+)\)s")


def used() -> dict[str, Message]:
    """Return the texts that pages look up."""
    return {strings(message.id)[0]: message for message in extracted() if message.id}


def test_values_are_filled_in_by_name() -> None:
    assert gettext("%(n)s of %(size)s", n=1, size=2) == "1 of 2"
    assert gettext("100 % as it is") == "100 % as it is"
    assert ngettext("%(num)s task", "%(num)s tasks", 1) == "1 task"
    assert ngettext("%(num)s task", "%(num)s tasks", 1340) == "1,340 tasks"


def test_templates_escape_values_and_keep_their_own_markup() -> None:
    template = environment().from_string(
        '{{ _("<b>%(x)s</b> 5 %%", x="<i>") }} {{ ngettext("%(num)s a", "%(num)s b", 1200) }}'
        "{% trans n=2, x='<' %} {{ n }} x{% pluralize n %} {{ n }} {{ x }} 5 %{% endtrans %}"
    )
    assert template.render() == "<b>&lt;i&gt;</b> 5 % 1,200 b 2 &lt; 5 %"


@pytest.mark.parametrize("name", OTHERS)
def test_durations_and_numbers_of_things_are_worded_in_each_language(name: str) -> None:
    with speaking(name):
        told = [formats.duration(3725), formats.ago(0, 7_200_000_000), formats.duration(2.16)]
    assert told == ["1 小时 2 分", "2 小时前", "2.1 秒"]


def test_every_text_is_literal() -> None:
    """What is put together at run time is in no catalogue."""
    assert len(used()) > 100
    assert [text for text in used() if "${" in text or "{{" in text] == []


@pytest.mark.parametrize("name", OTHERS)
def test_every_text_in_use_is_translated_and_no_other(name: str) -> None:
    """`make words` brings the catalogue up to date; then it needs somebody to translate."""
    there = {strings(message.id)[0]: message for message in catalogue(name) if message.id}
    assert sorted(used().keys() - there.keys()) == []
    assert sorted(there.keys() - used().keys()) == []
    assert sorted(text for text, each in there.items() if not is_translated(each)) == []


@pytest.mark.parametrize("name", OTHERS)
def test_a_translation_has_the_places_of_its_text(name: str) -> None:
    for message in catalogue(name):
        if message.id and is_translated(message):
            wanted = set(PLACE.findall(strings(message.id)[-1]))
            for form in strings(message.string):
                assert set(PLACE.findall(form)) == wanted, message.id
                assert form.count("%") - form.count("%%") * 2 == len(PLACE.findall(form)), form


@pytest.mark.parametrize("name", OTHERS)
def test_scripts_get_what_scripts_use_and_no_more(name: str) -> None:
    found = browser_words(name)
    assert {"live", "just now"} <= found.keys()
    assert "Skip to the page" not in found


def test_the_same_text_has_one_meaning() -> None:
    """A singular of one text may not be another's whole: the catalogue could hold only one."""
    plain = {message.id for message in extracted() if isinstance(message.id, str)}
    counted = {message.id[0] for message in extracted() if isinstance(message.id, tuple)}
    assert plain & counted == set()


class VisibleText(HTMLParser):
    """Collects what of a template's own markup people read."""

    NO_PROSE = ("script", "style", "kbd", "code", "pre")
    READ = ("aria-label", "alt", "placeholder", "title")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in self.NO_PROSE
        self.found += [value or "" for name, value in attrs if name in self.READ]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in self.NO_PROSE

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.found.append(data)


def own_markup(source: str) -> str:
    """Return what a template holds beside expressions, statements, and texts that are looked up."""
    kept, is_looked_up = [], False
    tokens = list(environment().lex(source))
    for index, (_, kind, value) in enumerate(tokens):
        if kind == "block_begin":
            statement = next(text for _, what, text in tokens[index:] if what == "name")
            is_looked_up = statement == "trans" or (is_looked_up and statement != "endtrans")
        elif kind == "data" and not is_looked_up:
            kept.append(value)
    return "".join(kept)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_text_that_is_not_looked_up(path: Path) -> None:
    parser = VisibleText()
    parser.feed(own_markup(path.read_text()))
    text = ATTRIBUTE.sub(" ", " ".join(parser.found))
    said = set(re.findall(r"\w*[A-Za-z]{2,}\w*", text))
    assert said - NAMES == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_looks_up_literal_texts_only(path: Path) -> None:
    """A value looked up as a text would be taken for markup."""
    tokens = [
        (kind, value)
        for _, kind, value in environment().lex(path.read_text())
        if kind != "whitespace"
    ]
    for index, (kind, value) in enumerate(tokens):
        if kind == "name" and value in {"_", "gettext", "ngettext"}:
            assert tokens[index + 1] == ("operator", "("), value
            assert tokens[index + 2][0] == "string", tokens[index : index + 4]


def test_a_text_without_a_translation_stays_english() -> None:
    with speaking("zh-Hans"):
        assert i18n.gettext("no page says this") == "no page says this"
        assert i18n.gettext("") == ""
