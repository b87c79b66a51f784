"""`make words`: brings the catalogues of translations up to date with the sources.

Texts that are new are left without a translation, for somebody to write; texts that nobody uses
any more are dropped.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.text import i18n
from tests import ROOT

_SOURCES: Final = {
    "app/pooldeck_server/web": ("**.py", "python"),
    "templates": ("**.html", "jinja2"),
    "static/js": ("**.js", "javascript"),
}
_KEYWORDS: Final = {"_": None, "gettext": None, "later": None, "ngettext": (1, 2), "both": (1, 2)}
_OPTIONS: Final = {"jinja2": {"newstyle_gettext": "true", "trim_blocks": "true", "silent": "false"}}


def extracted() -> Catalog:
    """Return every text that pages and their scripts look up, with the files that use it."""
    catalogue = Catalog(charset="utf-8")
    for folder in _SOURCES:
        for path, text in _texts(folder):
            catalogue.add(text, locations=[(path, 0)])
    for error in STATUS:
        catalogue.add(error.title, locations=[("app/pooldeck_server/domain/errors.py", 0)])
    return catalogue


def _texts(folder: str) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Yield each text of the sources in a folder, with the file that has it."""
    pattern, method = _SOURCES[folder]
    found = extract_from_dir(
        ROOT / folder,
        method_map=[(pattern, method)],
        options_map={pattern: _OPTIONS.get(method, {})},
        keywords=_KEYWORDS,
    )
    for name, _line, text, *_ in sorted(found, key=lambda each: (each[0], each[1])):
        yield f"{folder}/{name}", text


def update(language: str) -> tuple[int, int]:
    """Bring one catalogue up to date; return how many texts it has, and how many lack words."""
    catalogue = i18n.catalogue(language)
    catalogue.update(extracted(), no_fuzzy_matching=True)
    (i18n.TRANSLATIONS / f"{language.replace('-', '_')}.po").write_bytes(_as_po(catalogue))
    lacking = sum(not is_translated(message) for message in catalogue if message.id)
    return len(catalogue), lacking


def is_translated(message: Message) -> bool:
    """Tell whether a text has words in another language, for every number if it has one."""
    forms = i18n.strings(message.string)
    return bool(forms) and all(forms)


def _as_po(catalogue: Catalog) -> bytes:
    out = BytesIO()
    write_po(
        out,
        catalogue,
        width=100,
        omit_header=True,
        sort_output=True,
        ignore_obsolete=True,
        include_previous=False,
        include_lineno=False,
    )
    return out.getvalue()


def main() -> None:
    """Bring all catalogues up to date, and say what is left to do."""
    for language in i18n.LANGUAGES:
        if language != i18n.ENGLISH:
            number, lacking = update(language)
            print(f"{language}: {number} texts, {lacking} without a translation")  # noqa: T201 - a program that prints


if __name__ == "__main__":
    main()
