"""The words of the pages in the language of whoever reads them.

A text is written in English where it is used and looked up in the catalogue of the language that
the present request asked for. Values are filled in by name: `_("%(n)s of %(size)s busy", ...)`.
"""

from contextvars import ContextVar
from typing import Final

ENGLISH: Final = "en"

language: ContextVar[str] = ContextVar("language", default=ENGLISH)
"""The language of the request that is answered, as an HTML `lang`."""


def gettext(text: str, **values: object) -> str:
    """Return `text` in the reader's language, with `values` filled in."""
    return text % values if values else text


def ngettext(one: str, many: str, n: int, **values: object) -> str:
    """Return the form of a text for `n` things in the reader's language, with `values` filled in.

    The texts name the number as `%(num)s`.
    """
    return gettext(one if n == 1 else many, num=n, **values)


_ = gettext
