"""The named tokens: which there are, and the form for another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.access import Role
from pooldeck_server.domain.tokens import Token
from pooldeck_server.web.pages.shared.confirmation import Confirmation
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.refusal import FormRefusal
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.text.i18n import _, later

_ROLES: Final = {
    Role.VIEWER: later("viewer: looks"),
    Role.OPERATOR: later("operator: also submits, cancels, retries, changes pools"),
    Role.ADMIN: later("admin: also says who may come in"),
    Role.HOST: later("host: runs tasks on another machine, and nothing else"),
}
_LIVES: Final = {
    "30d": later("in 30 days"),
    "90d": later("in 90 days"),
    "1y": later("in a year"),
    "never": later("never"),
}


@dataclass(frozen=True)
class TokensView(Page):
    """The tokens; `made` is the name of the one that was made just now, `secret` its secret.

    `refusal` says why none was made, of what the form had: `filled`.
    """

    template = "tokens/page.html"
    section = "actions"
    flashes = FLASHES["tokens"]

    tokens: Sequence[Token]
    is_asked_for: bool
    roles: Sequence[tuple[str, str]]
    lives: Sequence[tuple[str, str]]
    filled: dict[str, str]
    made: str | None = None
    secret: str | None = None
    refusal: FormRefusal | None = None


class TokenConfirmation(Confirmation):
    """The question before a token is revoked."""

    section = "actions"


def tokens_view(
    tokens: Sequence[Token],
    *,
    is_asked_for: bool,
    filled: dict[str, str] | None = None,
    made: str | None = None,
    secret: str | None = None,
    refusal: FormRefusal | None = None,
) -> TokensView:
    return TokensView(
        tokens=tokens,
        is_asked_for=is_asked_for,
        roles=[(role.value, _(words)) for role, words in _ROLES.items()],
        lives=[(value, _(words)) for value, words in _LIVES.items()],
        filled={"name": "", "role": "viewer", "expires": "90d", "functions": "", "pools": ""}
        | (filled or {}),
        made=made,
        secret=secret,
        refusal=refusal,
    )


def ask_to_revoke(name: str) -> TokenConfirmation:
    return TokenConfirmation(
        heading=_("Revoke the token %(name)s?", name=name),
        sentences=(_("It counts no more at once. Logins and live pages begun with it end."),),
        action=f"/tokens/{name}/revoke",
        button=_("Revoke %(name)s", name=name),
        back="/tokens",
    )
