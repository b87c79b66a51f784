"""Why a task waits, in words: for its page and the lists, for the API and the command line."""

from collections.abc import Callable, Mapping
from typing import Final

from pooldeck_server.domain.tasks.waiting import QueuePlace, TaskWait, WaitReason
from pooldeck_server.domain.terminal_text import plain
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later, ngettext
from pooldeck_server.web.text.recorded import problem_words, reason_words

_SHORT: Final[Mapping[WaitReason, str]] = {
    WaitReason.TASKS: later("waits for other tasks"),
    WaitReason.RETRY: later("waits to be run again"),
    WaitReason.TIME: later("waits for its time"),
    WaitReason.RESTORED: later("the database was put back"),
    WaitReason.SERVER_DRAIN: later("the server is drained"),
    WaitReason.NO_POOL: later("there is no such pool"),
    WaitReason.HOLD: later("its function is on hold"),
    WaitReason.PAUSED: later("its pool is paused"),
    WaitReason.DRAINING: later("its pool is drained"),
    WaitReason.STOPPED: later("its pool is stopped"),
    WaitReason.BROKEN: later("its pool is broken"),
    WaitReason.STARTING: later("its pool starts"),
    WaitReason.UNSCHEDULABLE: later("no worker can run it"),
    WaitReason.CLAIMED: later("next for a worker"),
    WaitReason.FULL: later("all slots are busy"),
    WaitReason.LINE: later("on its way to a slot"),
}


def waiting_short(waiting: TaskWait) -> str:
    """Return in a few words why a task waits, for a row of a list."""
    return _(_SHORT[waiting.reason])


def waiting_words(waiting: TaskWait) -> str:
    """Return in a sentence why a task waits."""
    return plain(_SENTENCES[waiting.reason](waiting))


def place_words(waiting: TaskWait) -> str:
    """Return its place in the queue in a sentence; "" where it has none or it is not known."""
    place = waiting.place
    if place is None:
        return ""
    if not place.is_exact and not place.ahead:
        return _("Many tasks wait in its pool; how many go before it is not counted.")
    if not place.is_exact:
        return _(
            "More than %(n)s tasks of a higher or the same priority go before it.",
            n=formats.count(place.ahead),
        )
    if not place.ahead:
        return _("It is the first in the line.")
    return ngettext(
        "%(num)s task of a higher or the same priority goes before it.",
        "%(num)s tasks of a higher or the same priority go before it.",
        place.ahead,
    )


def estimate_words(waiting: TaskWait) -> str:
    """Return about how long it takes until it starts, in a sentence, or that nobody can say.

    "" where something must be done first, or a time is set.
    """
    if waiting.reason not in {WaitReason.FULL, WaitReason.LINE, WaitReason.CLAIMED}:
        return ""
    if waiting.seconds is None:
        return _("How long that takes cannot be said: nothing ended in the last minute.")
    if _is_short_of(waiting.place):
        return _(
            "At the present rate that takes more than %(time)s.",
            time=_roughly(waiting.seconds),
        )
    return _("At the present rate that takes about %(time)s.", time=_roughly(waiting.seconds))


def whole_words(waiting: TaskWait) -> str:
    """Return all of it in one text: why, at which place, for how long."""
    parts = (waiting_words(waiting), place_words(waiting), estimate_words(waiting))
    return " ".join(filter(None, parts))


def _is_short_of(place: QueuePlace | None) -> bool:
    return place is not None and not place.is_exact


def _roughly(seconds: float) -> str:
    """Return an estimate without digits that it cannot have."""
    return formats.duration(float(max(1, round(seconds))))


def _tasks(waiting: TaskWait) -> str:
    if not waiting.needs:
        return _("The tasks that it comes after have ended; it is released at this moment.")
    return ngettext(
        "It waits for %(num)s task to end.", "It waits for %(num)s tasks to end.", waiting.needs
    )


def _retry(waiting: TaskWait) -> str:
    return _(
        "Its attempt %(n)s failed; it is run again at %(time)s.",
        n=waiting.attempt,
        time=formats.moment(waiting.until),
    )


def _time(waiting: TaskWait) -> str:
    return _("It is to run at %(time)s.", time=formats.moment(waiting.until))


def _drained(waiting: TaskWait) -> str:
    if waiting.by is None:
        return _("The server is drained, and hands nothing out.")
    if waiting.why:
        return _(
            "The server is drained by %(who)s, and hands nothing out: %(why)s.",
            who=waiting.by,
            why=waiting.why,
        )
    return _("The server is drained by %(who)s, and hands nothing out.", who=waiting.by)


def _held(waiting: TaskWait) -> str:
    if waiting.why:
        return _(
            "Its function %(function)s is on hold: %(why)s.",
            function=waiting.function,
            why=reason_words(waiting.why),
        )
    return _("Its function %(function)s is on hold.", function=waiting.function)


def _unschedulable(waiting: TaskWait) -> str:
    if waiting.why:
        return _(
            "No worker of the pool %(pool)s can run it: %(why)s.",
            pool=waiting.pool,
            why=problem_words(waiting.why),
        )
    return _("No worker of the pool %(pool)s can run it.", pool=waiting.pool)


def _full(waiting: TaskWait) -> str:
    return ngettext(
        "The only slot of the pool %(pool)s is busy.",
        "All %(num)s slots of the pool %(pool)s are busy.",
        waiting.slots,
        pool=waiting.pool,
    )


def _about_the_pool(text: str) -> Callable[[TaskWait], str]:
    return lambda waiting: _(text, pool=waiting.pool)


_SENTENCES: Final[Mapping[WaitReason, Callable[[TaskWait], str]]] = {
    WaitReason.TASKS: _tasks,
    WaitReason.RETRY: _retry,
    WaitReason.TIME: _time,
    WaitReason.RESTORED: lambda _waiting: _(
        "The database was put back from a backup: nothing of it runs before somebody says what "
        "becomes of what waited in it."
    ),
    WaitReason.SERVER_DRAIN: _drained,
    WaitReason.HOLD: _held,
    WaitReason.NO_POOL: _about_the_pool(
        later("The configuration has no pool %(pool)s any more: cancel it, or add the pool again.")
    ),
    WaitReason.PAUSED: _about_the_pool(
        later("The pool %(pool)s is paused, and hands nothing out.")
    ),
    WaitReason.DRAINING: _about_the_pool(
        later("The pool %(pool)s is drained: it finishes what runs, and hands nothing out.")
    ),
    WaitReason.STOPPED: _about_the_pool(later("The pool %(pool)s is stopped: it has no workers.")),
    WaitReason.BROKEN: _about_the_pool(
        later("The pool %(pool)s is broken: none of its workers can be started.")
    ),
    WaitReason.STARTING: _about_the_pool(
        later("The pool %(pool)s starts: none of its workers is ready yet.")
    ),
    WaitReason.UNSCHEDULABLE: _unschedulable,
    WaitReason.CLAIMED: _about_the_pool(
        later("It goes to the next slot of the pool %(pool)s that is free.")
    ),
    WaitReason.FULL: _full,
    WaitReason.LINE: _about_the_pool(later("It is on its way to a slot of the pool %(pool)s.")),
}
