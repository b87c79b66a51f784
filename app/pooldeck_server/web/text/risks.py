"""What is seen in a function's code that its calls share, in the words of the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from pooldeck.kinds import KINDS, PoolKind
from pooldeck.risks import Risk, RiskKind
from pooldeck_server.advice import Advice
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later

_WORDS: Final[Mapping[RiskKind, str]] = {
    RiskKind.SIGNALS: later(
        "%(what)s (%(place)s): signals are the whole process's, and only its main thread sets "
        "handlers"
    ),
    RiskKind.DIRECTORY: later(
        "%(what)s (%(place)s): a process has one working directory and one umask"
    ),
    RiskKind.ENVIRONMENT: later(
        "%(what)s is changed (%(place)s): a process has one set of environment variables"
    ),
    RiskKind.OUTPUT: later(
        "%(what)s (%(place)s): a process has one standard output, and one standard error"
    ),
    RiskKind.LOCALE: later("%(what)s (%(place)s): a process has one locale and one time zone"),
    RiskKind.LIMITS: later("%(what)s (%(place)s) changes a limit or a setting of the process"),
    RiskKind.REPORTING: later(
        "%(what)s (%(place)s) changes what the process warns of or writes to its logs"
    ),
    RiskKind.WRITES: later("%(what)s is changed (%(place)s), which stands outside of the function"),
    RiskKind.STATE: later(
        "%(what)s is used (%(place)s), an object with a state (%(type)s) made outside of the "
        "function"
    ),
}


class RiskWords(Struct, frozen=True):
    """What is to be said of a function's risks: a sentence, and one item for each."""

    sentence: str
    items: tuple[str, ...] = ()


def risk_words(advice: Advice) -> RiskWords | None:
    """Return what is to be said of a function's risks where it should run.

    It is None where the function may stay and no risk is seen.
    """
    risks = advice.risks_there
    if risks:
        return seen_risks(risks, advice.better_kind, advice.function)
    if not advice.is_misplaced:
        return None
    if risks is None:
        return RiskWords(
            _("Its code could not be looked at: what its calls would share is not known.")
        )
    return RiskWords(
        _(
            "Nothing that its calls would share can be seen in its code, which does not prove that "
            "there is nothing."
        )
    )


def seen_risks(risks: Sequence[Risk], kind: PoolKind, function: str) -> RiskWords:
    """Return the risks that concern a function in pools of a kind, of which there are some."""
    name = formats.short_name(function)
    return RiskWords(_sentence(kind), tuple(_item(risk, name) for risk in risks))


def _item(risk: Risk, function: str) -> str:
    """Return one risk in words, with the line where it is seen."""
    place = (
        _("line %(line)s", line=risk.line)
        if risk.within == function
        else _("line %(line)s, in %(function)s", line=risk.line, function=risk.within)
    )
    return _(_WORDS[risk.kind], what=risk.what, place=place, type=risk.type)


def _sentence(kind: PoolKind) -> str:
    if KINDS[kind].is_alone:
        return _(
            "In processes each worker has its own of what is seen in its code: what a call changes "
            "there the others do not see, and a counter gives one number several times."
        )
    return _(
        "In threads all calls that run at a time share what is seen in its code, and may get at "
        "each other's data without any error."
    )
