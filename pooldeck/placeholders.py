"""Texts with named placeholders: `{name}` is one, and a brace itself is written twice."""

import string
from keyword import iskeyword


def names(text: str) -> list[str]:
    """Return the names of a text's placeholders, in order.

    Raises:
        ValueError: If its braces do not make placeholders.
    """
    return [name for _, name in pieces(text) if name]


def pieces(text: str) -> list[tuple[str, str]]:
    """Return a text as literal parts, each with the name of the placeholder after it or "".

    Raises:
        ValueError: If its braces do not make placeholders.
    """
    found = []
    try:
        for literal, name, form, conversion in string.Formatter().parse(text):
            _check(name, is_plain=not (form or conversion))
            found.append((literal, name or ""))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}; a brace itself is written twice") from None
    return found or [("", "")]


def _check(name: str | None, *, is_plain: bool) -> None:
    """Refuse what `str.format` would take and a placeholder is not."""
    if name is None:
        return
    if not is_plain or not name.isidentifier() or iskeyword(name):
        raise ValueError(
            "a placeholder is a name of letters, digits and underscores in braces, such as {path}"
        )
