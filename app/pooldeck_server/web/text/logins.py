"""Logins that came to nothing, in the reader's words: what happened, and what to do."""

from typing import Final

from pooldeck_server.domain.logins import Why
from pooldeck_server.web.text.i18n import _, later

_WORDS: Final = {
    Why.NOT_BEGUN: (
        later("This login is over"),
        later(
            "It was begun more than ten minutes ago, in another browser, by another address of "
            "this server, or it was used already. Log in again."
        ),
    ),
    Why.REFUSED: (
        later("The provider did not let you in"),
        later(
            "Your login there was refused, or given up. Log in again; if it happens again, ask "
            "who runs the provider."
        ),
    ),
    Why.UNREACHABLE: (
        later("The provider does not answer"),
        later(
            "This server cannot ask it who you are. Try again in a minute; the server's log "
            "has the reason."
        ),
    ),
    Why.NOT_VALID: (
        later("What the provider says cannot be trusted"),
        later(
            "You were not let in. Log in again; if it happens again, the server's log has the "
            "reason for its admins."
        ),
    ),
    Why.CLOCK: (
        later("Two clocks differ"),
        later(
            "What the provider says is not valid at the time that this server has. Its admins "
            "should set its clock; the log has the difference."
        ),
    ),
    Why.NO_ROLE: (
        later("You have no access here"),
        later(
            "The provider knows you, and none of your groups has a role on this server. Ask "
            "its admins for one; they set it in [oidc.groups]."
        ),
    ),
    Why.BUSY: (later("Too many logins at once"), later("Try again in a few seconds.")),
}


def failed_login(why: Why) -> tuple[str, str]:
    """Return a title, and what to do."""
    title, text = _WORDS[why]
    return _(title), _(text)
