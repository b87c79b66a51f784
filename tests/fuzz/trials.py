"""The trials, and what has to hold during and after each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.fuzz import documented, large, routes, wire
from tests.fuzz.effort import Effort
from tests.fuzz.prober import Wait
from tests.fuzz.target import Target
from tests.fuzz.vitals import GROWTH, watched


@dataclass(frozen=True)
class Trial:
    """Sends requests to a server and says what is wrong with the answers.

    `few` and `many` are examples: of each call or route, of bodies, of forty connections.
    """

    send: Callable[[Target, Effort], list[str]]
    few: int
    many: int


TRIALS: Final = {
    "documented": Trial(documented.trial, few=1, many=5),
    "routes": Trial(routes.trial, few=1, many=5),
    "large": Trial(large.trial, few=10, many=120),
    "wire": Trial(wire.trial, few=2, many=10),
}


def complaints(target: Target, trial: Trial, effort: Effort) -> list[str]:
    """Let a server have a trial; return what does not hold.

    What made others wait is sent once more: the server does it again, a busy machine hardly ever.
    """
    wrong, stalls = _watched(target, trial, effort)
    if stalls:
        _, again = _watched(target, trial, effort)
        stalls = {request: wait for request, wait in stalls.items() if request in again}
    return wrong + [f"{wait}, for {request}" for request, wait in stalls.items()]


def _watched(target: Target, trial: Trial, effort: Effort) -> tuple[list[str], dict[str, Wait]]:
    """Return what does not hold, and what was sent when somebody waited too long."""
    logged = len(target.tracebacks())
    with watched(target.port, target.pid) as vitals:
        wrong = trial.send(target, effort)
    if vitals.grown > GROWTH:
        wrong.append(f"the server keeps {vitals.grown} bytes more than before")
    if not target.serves():
        wrong.append("no task runs any more")
    stalls = {target.sent_before(wait.ended): wait for wait in vitals.stalls()}
    return wrong + target.tracebacks()[logged:], stalls
