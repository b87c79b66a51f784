"""Why a function is held, in the reader's words."""

from pooldeck_server.domain.pools.controls import Hold, HoldKind
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, ngettext
from pooldeck_server.web.text.reasons import cause_words


def hold_words(hold: Hold) -> str:
    """Return why a function is on hold or paused: after which deaths, or by whom and why."""
    if hold.kind is HoldKind.CRASHES:
        return _deaths(hold)
    if hold.reason:
        return _("by %(who)s: %(why)s", who=hold.by, why=hold.reason)
    return _("by %(who)s, who gave no reason", who=hold.by)


def _deaths(hold: Hold) -> str:
    if hold.cause is None or hold.within is None:  # from before the cause was kept
        return hold.reason
    return ngettext(
        "%(num)s worker died under it within %(time)s, and %(cause)s",
        "%(num)s workers died under it within %(time)s; the last one %(cause)s",
        hold.deaths,
        time=formats.coarse(int(hold.within)),
        cause=cause_words(hold.cause),
    )
