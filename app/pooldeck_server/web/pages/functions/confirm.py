"""The questions before a function is held or paused, or placed where its code may not work."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from pooldeck.kinds import PoolKind
from pooldeck.risks import Risk, risks_in
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.web.pages.shared.confirmation import Confirmation
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, ngettext
from pooldeck_server.web.text.risks import seen_risks


@dataclass(frozen=True)
class FunctionConfirmation(Confirmation):
    """A question about a function."""

    section = "functions"


def risks_of_placing(
    function: RegisteredFunction, pool: str, kinds: Mapping[str, PoolKind]
) -> tuple[Risk, ...]:
    """Return what speaks against a placement; nothing in a kind of pool that it is in already."""
    here, there = kinds.get(function.pool), kinds.get(pool)
    if there is None or here is there:
        return ()
    return risks_in(there, function.spec.risks or ())


def placement(
    function: RegisteredFunction, pool: str, kinds: Mapping[str, PoolKind]
) -> FunctionConfirmation:
    """Return the question whether a function is to be placed in a pool all the same."""
    name = function.spec.name
    risks = risks_of_placing(function, pool, kinds)
    words = seen_risks(risks, kinds[pool], name) if risks else None
    page = f"/functions/{quote(name)}"
    return FunctionConfirmation(
        heading=_("Place %(function)s in %(pool)s?", function=formats.short_name(name), pool=pool),
        sentences=(
            _(
                "What is submitted from then on runs there. If it fails there as it never has "
                "before, it goes back to where it is now, and a notice says so."
            ),
            *((words.sentence,) if words else ()),
        ),
        items=words.items if words else (),
        action=f"{page}/placement",
        hidden=(("pool", pool), ("sure", "1")),
        button=_("Place it in %(pool)s", pool=pool),
        back=f"{page}#advice",
        style="primary",
    )


def hold_question(function: RegisteredFunction, waiting: int) -> FunctionConfirmation:
    """Return the question whether a function is to be put on hold."""
    name = function.spec.name
    page = f"/functions/{quote(name)}"
    return FunctionConfirmation(
        heading=_("Put %(function)s on hold?", function=formats.short_name(name)),
        sentences=(
            _("New tasks of it are refused, with your reason, until somebody releases it."),
            _wait_on(waiting),
            _("What runs goes on. It stays on hold if the server restarts."),
        ),
        action=f"{page}/hold",
        button=_("Put on hold"),
        back=page,
        asks_reason=True,
    )


def pause_question(function: RegisteredFunction, waiting: int) -> FunctionConfirmation:
    """Return the question whether a function is to be paused."""
    name = function.spec.name
    page = f"/functions/{quote(name)}"
    return FunctionConfirmation(
        heading=_("Pause %(function)s?", function=formats.short_name(name)),
        sentences=(
            _("New tasks of it are taken, and wait until somebody resumes it."),
            _wait_on(waiting),
            _("What runs goes on. It stays paused if the server restarts."),
        ),
        action=f"{page}/pause",
        button=_("Pause it"),
        back=page,
        asks_reason=True,
        style="primary",
    )


def _wait_on(number: int) -> str:
    if not number:
        return _("No task of it is queued.")
    return ngettext(
        "%(num)s task of it is queued, and waits on.",
        "%(num)s tasks of it are queued, and wait on.",
        number,
    )
