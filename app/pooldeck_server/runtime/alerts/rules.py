"""How the rules are set: by somebody, or as they come."""

from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from typing import Any

from msgspec.structs import replace

from pooldeck_server.domain.actions import Deed
from pooldeck_server.domain.alerts.rules import MOST_QUIET_SECONDS, RULES, AlertRule, StoredRule
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction


@dataclass(kw_only=True, eq=False)
class AlertRules:
    """The rules in memory and in the store."""

    recorder: Recorder
    clock: Clock
    kept: InitVar[Iterable[StoredRule]]

    def __post_init__(self, kept: Iterable[StoredRule]) -> None:
        self._rules = {rule: StoredRule(rule) for rule in RULES} | {
            each.rule: each for each in kept
        }

    def all(self) -> tuple[StoredRule, ...]:
        return tuple(self._rules[rule] for rule in RULES)

    def get(self, rule: AlertRule) -> StoredRule:
        return self._rules[rule]

    def threshold(self, rule: AlertRule) -> float:
        """Return the threshold of a rule that has one."""
        set_by_hand = self._rules[rule].threshold
        return (RULES[rule].threshold or 0.0) if set_by_hand is None else set_by_hand

    async def change(
        self,
        rule: AlertRule,
        *,
        is_on: bool,
        threshold: float | None,
        quiet_seconds: float | None,
    ) -> StoredRule:
        """Set a rule; None leaves the threshold or the quiet time as it comes.

        Raises:
            InvalidRequest: If the threshold or the quiet time is out of range.
            StorageUnavailable: If it could not be written; the rule stays as it was.
        """
        kind = RULES[rule]
        if threshold is not None and kind.threshold is None:
            raise InvalidRequest(f"threshold: {rule} has none", field="/threshold")
        if threshold is not None and not kind.least <= threshold <= kind.most:
            range_ = f"from {kind.least:g} to {kind.most:g}"
            raise InvalidRequest(f"threshold: expected {kind.unit} {range_}", field="/threshold")
        if quiet_seconds is not None and not 0 <= quiet_seconds <= MOST_QUIET_SECONDS:
            most = f"{MOST_QUIET_SECONDS:g} seconds"
            raise InvalidRequest(f"quiet_seconds: expected 0 to {most}", field="/quiet_seconds")
        changed = replace(
            self._rules[rule], is_on=is_on, threshold=threshold, quiet_seconds=quiet_seconds
        )
        before = self._rules[rule]
        action = acting.action(
            self.clock.now(),
            Deed.SET_ALERT_RULE,
            "alert_rule",
            rule,
            before=_set(before),
            after=_set(changed),
        )

        def write(transaction: Transaction) -> None:
            records.save_rule(transaction, changed)
            records.act(transaction, action)

        await self.recorder.perform(write)
        self._rules[rule] = changed
        return changed


def _set(rule: StoredRule) -> dict[str, Any]:
    """Return how a rule is set, for the log."""
    return {name: getattr(rule, name) for name in ("is_on", "threshold", "quiet_seconds")}
