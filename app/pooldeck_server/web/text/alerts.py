"""Rules of alerts and the states of deliveries, in the reader's language."""

from collections.abc import Mapping
from typing import Final

from pooldeck_server.domain.alerts.deliveries import DeliveryState
from pooldeck_server.domain.alerts.rules import AlertRule
from pooldeck_server.web.text.i18n import _, later

_RULES: Final[Mapping[AlertRule, tuple[str, str]]] = {
    AlertRule.NEW_ERROR: (
        later("New error"),
        later("Tasks fail in a way that was never seen before."),
    ),
    AlertRule.RETURNED_ERROR: (
        later("Error returned"),
        later("Tasks fail again in a way that somebody had marked as fixed."),
    ),
    AlertRule.FUNCTION_ON_HOLD: (
        later("Function on hold"),
        later("Too many workers died under it; its tasks wait."),
    ),
    AlertRule.WORKER_DIED: (
        later("Worker died"),
        later("Of one pool's workers and one culprit together."),
    ),
    AlertRule.POOL_BROKEN: (later("Pool broken"), later("Its workers do not start.")),
    AlertRule.OLDEST_WAIT: (
        later("Long wait"),
        later("The oldest task of a pool's queue waits for longer than this."),
    ),
    AlertRule.LOSSY_STOP: (
        later("Lossy stop"),
        later("The server ended while tasks ran; told at its next start."),
    ),
    AlertRule.LOW_DISK: (
        later("Low disk"),
        later("Less than this is free where the database is."),
    ),
    AlertRule.SLOW_WRITES: (
        later("Slow writes"),
        later("A commit takes longer than this."),
    ),
    AlertRule.ADVICE: (
        later("Advice"),
        later("It has become sure that a function would do much better in another pool."),
    ),
    AlertRule.STARVATION: (
        later("Starvation"),
        later("All slots of a pool are busy, nothing ends, and tasks wait."),
    ),
    AlertRule.STUCK_TASK: (
        later("Stuck task"),
        later("It runs far longer than usual, or past its timeout."),
    ),
    AlertRule.NO_BACKUP: (
        later("No backup"),
        later("One that was due could not be made."),
    ),
}
_STATES: Final[Mapping[DeliveryState, str]] = {
    DeliveryState.WAITING: later("waiting"),
    DeliveryState.DELIVERED: later("delivered"),
    DeliveryState.GIVEN_UP: later("given up"),
}
_UNITS: Final = {"seconds": later("seconds"), "percent": later("percent")}


def rule_title(rule: AlertRule) -> str:
    return _(_RULES[rule][0])


def rule_words(rule: AlertRule) -> str:
    return _(_RULES[rule][1])


def unit_words(unit: str | None) -> str:
    return _(_UNITS[unit]) if unit else ""


def delivery_state(state: DeliveryState) -> str:
    return _(_STATES[state])
