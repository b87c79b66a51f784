"""The words of the pages in the language of whoever reads them.

A text is written in English where it is used and looked up in the catalogue of the language that
the present request asked for. Values are filled in by name: `_("%(n)s of %(size)s busy", ...)`.
Catalogues are gettext files in `translations/`; `make words` brings them up to date.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:  # who reads English needs none of it
    from babel.messages.catalog import Catalog, Message

T = TypeVar("T")
R = TypeVar("R")

ENGLISH: Final = "en"
LANGUAGES: Final[Mapping[str, str]] = {ENGLISH: "English", "zh-Hans": "中文"}
"""What the pages can be read in: the HTML `lang`, and its name in itself."""

TRANSLATIONS: Final = Path(__file__).with_name("translations")
_FOR_BROWSERS: Final = "static/js/"

language: ContextVar[str] = ContextVar("language", default=ENGLISH)
"""The language of the request that is answered, as an HTML `lang`."""


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Have the words of the body in a language, where it is one of those there are."""
    token = language.set(name if name in LANGUAGES else ENGLISH)
    try:
        yield
    finally:
        language.reset(token)


def in_english(words: Callable[[T], R], value: T) -> R:
    """Return what `words` says of a value, in English whatever the reader asked for."""
    with speaking(ENGLISH):
        return words(value)


def gettext(text: str, /, **values: object) -> str:
    found = look_up(text)
    return found % values if values else found


def ngettext(one: str, many: str, n: int, /, **values: object) -> str:
    """Return the form of a text for `n` things in the reader's language, with `values` filled in.

    The texts name the number as `%(num)s`; its thousands are apart unless `values` say otherwise.
    """
    return look_up_form(one, many, n) % ({"num": f"{n:,}"} | values)


def later(text: str) -> str:
    """Return `text` as it is, and have it in the catalogue.

    For constants with words: `_(CONSTANT)` looks them up at the time of the request.
    """
    return text


def both(one: str, many: str) -> tuple[str, str]:
    """Return the forms of a text for one thing and for many, and have them in the catalogue."""
    return one, many


_ = gettext


def look_up(text: str) -> str:
    return _translations(language.get()).gettext(text) if text else ""


def look_up_form(one: str, many: str, n: int) -> str:
    return _translations(language.get()).ngettext(one, many, n)


def catalogue(of: str) -> "Catalog":
    from babel.messages.pofile import read_po  # noqa: PLC0415  (see above)

    name = of.replace("-", "_")
    with (TRANSLATIONS / f"{name}.po").open("rb") as file:
        return read_po(file, locale=name)


def browser_words(of: str) -> dict[str, list[str]]:
    """Return what scripts look up: the forms of each text, by the English for one thing."""
    used = (message for message in catalogue(of) if message.id and _is_for_browsers(message))
    return {strings(message.id)[0]: strings(message.string) for message in used if message.string}


def strings(found: str | Iterable[str] | None) -> list[str]:
    """Return a message's id or translation as a list, whether it has one form or several."""
    return [found] if isinstance(found, str) else list(found or ())


def _is_for_browsers(message: "Message") -> bool:
    return any(path.startswith(_FOR_BROWSERS) for path, _line in message.locations)


@cache
def _translations(of: str) -> NullTranslations:
    if of == ENGLISH:
        return NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415  (see above)

    compiled = BytesIO()
    write_mo(compiled, catalogue(of))
    compiled.seek(0)
    return GNUTranslations(compiled)
