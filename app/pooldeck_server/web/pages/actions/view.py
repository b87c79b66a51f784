"""The log of actions: what its address asks for, and what is shown of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from pooldeck_server.domain.actions import ActionFilter, ActionPage, Deed
from pooldeck_server.domain.clock import SECOND
from pooldeck_server.web.pages.shared.actions import ActionRow, action_row
from pooldeck_server.web.pages.shared.address import PERIODS, address, further, seconds_of
from pooldeck_server.web.pages.shared.choices import Choice
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.text.actions import deed_words
from pooldeck_server.web.text.i18n import _

PATH: Final = "/actions"
_LONGEST: Final = 200  # characters of what is looked for


@dataclass(frozen=True)
class ActionsQuery:
    """Which actions are meant; `since` is a length of time such as "24h", empty for all."""

    actor: str = ""
    deed: str = ""
    target: str = ""
    q: str = ""
    since: str = ""

    def filter(self, now: int) -> ActionFilter:
        seconds = seconds_of(self.since)
        return ActionFilter(
            actor=self.actor or None,
            deeds=(Deed(self.deed),) if self.deed else (),
            target=self.target or None,
            since=None if seconds is None else now - seconds * SECOND,
            text=self.q or None,
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in vars(self).items() if value]

    @property
    def href(self) -> str:
        return address(PATH, self.pairs)


@dataclass(frozen=True)
class ActionsView(Page):
    """The actions that fit, and the choices that change which do."""

    template = "actions/page.html"
    section = "actions"

    rows: tuple[ActionRow, ...]
    wanted: ActionsQuery
    periods: tuple[Choice, ...]
    actors: Sequence[str]
    deeds: tuple[tuple[str, str], ...]
    is_first: bool
    older_href: str | None
    csv_href: str
    jsonl_href: str


def read_wanted(query: QueryParams) -> ActionsQuery:
    names = ("actor", "deed", "target", "q", "since")
    given = (query.get(name, "").strip()[:_LONGEST] for name in names)
    wanted = ActionsQuery(*given)
    return replace(
        wanted,
        deed=wanted.deed if wanted.deed in set(Deed) else "",
        since=wanted.since if seconds_of(wanted.since) else "",
    )


def actions_view(
    page: ActionPage, wanted: ActionsQuery, actors: Sequence[str], since: str, *, is_first: bool
) -> ActionsView:
    """Return the page; `since` is the time that exports begin at, as they take it, or empty."""
    named = dict.fromkeys((*filter(None, (wanted.actor,)), *filter(None, actors)))
    return ActionsView(
        rows=tuple(action_row(each) for each in page.items),
        wanted=wanted,
        periods=tuple(
            Choice(_(words), replace(wanted, since=each).href, each == wanted.since)
            for each, words in PERIODS
        ),
        actors=tuple(named),
        deeds=tuple((deed.value, deed_words(deed)) for deed in Deed),
        is_first=is_first,
        older_href=further(PATH, wanted.pairs, page.next_cursor),
        csv_href=_export(wanted, since, "csv"),
        jsonl_href=_export(wanted, since, "jsonl"),
    )


def _export(wanted: ActionsQuery, since: str, form: str) -> str:
    """Return where what is shown can be had as a file."""
    pairs = [(name, value) for name, value in wanted.pairs if name != "since"]
    if since:
        pairs.append(("since", since))
    return f"/api/v1/actions/export?{urlencode([*pairs, ('format', form)])}"
