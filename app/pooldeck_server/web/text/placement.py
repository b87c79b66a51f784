"""Reasons why a task ran where it ran, in the words of the reader's language."""

from collections.abc import Mapping
from typing import Final

from pooldeck_server.advice import Verdict
from pooldeck_server.domain.functions.placements import Placement, PlacementRule
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later, ngettext

_BECAUSE: Final[Mapping[str, str]] = {
    Verdict.HOLDS_GIL: later(
        "it computes and holds the GIL, so that threads would only take turns"
    ),
    Verdict.RELEASES_GIL: later("it computes without the GIL, which threads do as well"),
    Verdict.IO_BOUND: later("it mostly waits, which many threads do at once"),
    Verdict.MIXED: later("it waits and computes, and gets through more there"),
}
_WORDS: Final[Mapping[PlacementRule, str]] = {
    PlacementRule.ONE_KIND: later(
        "The server chose %(pool)s: all pools are of one kind, and it is the first."
    ),
    PlacementRule.COROUTINE: later(
        "The server chose %(pool)s: an async function mostly waits, and starts in threads."
    ),
    PlacementRule.ADDRESS: later(
        'The server chose %(pool)s: the parameter "%(name)s" looks as if the function waits for '
        "another machine, so it starts in threads."
    ),
    PlacementRule.PLAIN: later(
        "The server chose %(pool)s: a function starts in a process, where nothing that it does "
        "gets in the way of another call."
    ),
    PlacementRule.UNKNOWN: later(
        "The server chose %(pool)s: its signature does not say whether it waits, so it starts in a "
        "process, where it cannot slow down anything else."
    ),
    PlacementRule.BY_HAND: later("The function was placed in %(pool)s by hand."),
    PlacementRule.UNDONE: later(
        "The function went back to %(pool)s: in %(before)s it failed as it never had before "
        "(%(error)s)."
    ),
}
_NOTEWORTHY: Final = 1.1  # times as fast


def placed_words(placed: str | None) -> str:
    """Return why a task is in its pool, by the JSON that it keeps; None: its pool was named."""
    if placed is None:
        return _("Its pool was named, by its function or by whoever submitted it.")
    return placement_words(Placement.from_json(placed))


def placement_words(placement: Placement) -> str:
    if placement.rule is PlacementRule.MEASURED:
        return _measured(placement)
    return _(
        _WORDS[placement.rule],
        pool=placement.pool,
        name=placement.hint,
        before=placement.before,
        error=placement.error,
    )


def _measured(placement: Placement) -> str:
    why = _BECAUSE.get(placement.verdict or "", _BECAUSE[Verdict.MIXED])
    words = ngettext(
        "The server moved the function from %(before)s to %(pool)s after %(num)s run: %(why)s.",
        "The server moved the function from %(before)s to %(pool)s after %(num)s runs: %(why)s.",
        placement.runs or 0,
        before=placement.before,
        pool=placement.pool,
        why=_(why),
    )
    if placement.gain is None or placement.gain < _NOTEWORTHY:
        return words
    gain = formats.rate(placement.gain)
    return words + " " + _("Expected: %(gain)s times as many in the same time.", gain=gain)
