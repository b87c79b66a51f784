"""A choice of a page: a link that narrows, widens or orders what it shows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """A link that makes a choice, or takes it back; `count` is how many it would list."""

    label: str
    href: str
    is_chosen: bool
    count: str | None = None
