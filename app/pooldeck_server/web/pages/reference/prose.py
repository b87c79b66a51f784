"""Descriptions of the OpenAPI document as paragraphs: text, and code between backticks."""

from collections.abc import Sequence
from typing import TypeAlias

Paragraph: TypeAlias = tuple[tuple[str, bool], ...]
"""Pieces of a paragraph, each with whether it is code."""


def paragraphs(text: str) -> tuple[Paragraph, ...]:
    """Return the paragraphs of a description; line breaks within them are spaces."""
    found = (" ".join(each.split()) for each in text.split("\n\n"))
    return tuple(pieces(each) for each in found if each)


def pieces(text: str) -> Paragraph:
    parts = text.split("`")
    return tuple((part, bool(place % 2)) for place, part in enumerate(parts) if part)


def first_sentence(text: str) -> Paragraph:
    """Return how a description begins, as one line of a list."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return pieces(paragraph.partition(". ")[0].rstrip("."))


def plain(paragraph: Sequence[tuple[str, bool]]) -> str:
    return "".join(text for text, _ in paragraph)
