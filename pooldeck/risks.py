"""What can be seen in a function's code that its calls share with each other, as data.

A worker looks for it when it registers a function (`pooldeck.worker.risks`); people read it where a
function may be moved to another kind of pool.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pooldeck.kinds import KINDS, PoolKind
from pooldeck.quantities import Count


class RiskKind(StrEnum):
    """What is shared."""

    SIGNALS = "signals"  # signal handlers, alarms
    DIRECTORY = "directory"  # the working directory, the umask
    ENVIRONMENT = "environment"  # environment variables
    OUTPUT = "output"  # what stands in sys.stdin, sys.stdout, sys.stderr
    LOCALE = "locale"  # the locale, the time zone
    LIMITS = "limits"  # limits, priority and rights of the process, settings of the interpreter
    REPORTING = "reporting"  # filters of warnings, the configuration of logging
    WRITES = "writes"  # what stands outside of the function is changed
    STATE = "state"  # an object with a state is used that was made at import


class Risk(Struct, frozen=True):
    """Something that is seen at a line of the module of a function.

    `what` is how the code names it, such as "os.chdir", and `within` the function that does so:
    the registered one, or one that it uses. `type` is that of an object with a state.
    """

    kind: RiskKind
    what: str
    line: Count
    within: str
    type: str = ""


_OF_EACH_WORKER: Final = frozenset({RiskKind.WRITES, RiskKind.STATE})
"""What differs from worker to worker, so that calls in processes do not see each other's."""


def risks_in(kind: PoolKind, risks: Sequence[Risk]) -> tuple[Risk, ...]:
    """Return those of a function's risks that concern it in pools of one kind."""
    if not KINDS[kind].is_alone:
        return tuple(risks)
    return tuple(risk for risk in risks if risk.kind in _OF_EACH_WORKER)
