"""The question before something is done that cannot be undone, or that many tasks feel."""

from dataclasses import dataclass
from typing import Literal

from pooldeck_server.domain.pools.annotations import MAX_REASON
from pooldeck_server.domain.pools.health import SlotHealth
from pooldeck_server.web.pages.shared.rendering import Page


@dataclass(frozen=True)
class Confirmation(Page):
    """A question: what would happen, in sentences, and the form that makes it happen.

    `back` is where "no" leads. Without a `button` there is nothing to be done. `conditions` say
    which tasks are meant, None where that is clear; `check` is a box to tick: its name and its
    words. `items` are listed below the sentences. `affected` are slots whose tasks would end by it,
    and how, with `unlisted` more; `asks_reason` is for what destroys: somebody may say why.
    """

    template = "shared/confirm.html"

    heading: str
    sentences: tuple[str, ...]
    action: str
    button: str | None
    back: str
    conditions: tuple[tuple[str, str], ...] | None = None
    hidden: tuple[tuple[str, str], ...] = ()
    check: tuple[str, str] | None = None
    affected: tuple[tuple[SlotHealth, str], ...] = ()
    unlisted: int = 0
    items: tuple[str, ...] = ()
    asks_reason: bool = False
    longest_reason: int = MAX_REASON
    style: Literal["danger", "primary"] = "danger"


@dataclass(frozen=True)
class TaskConfirmation(Confirmation):
    """A question about tasks."""

    section = "tasks"
