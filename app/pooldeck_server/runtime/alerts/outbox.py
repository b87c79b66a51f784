"""Turns what is new of alerts into messages, in one transaction with the note that it is told.

What happens while a rule is quiet is told together when that ends. That something is over is told
at once, if it was told that it began.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import uuid4

import msgspec

from pooldeck_server.domain.actions import Action
from pooldeck_server.domain.alerts.deliveries import NewDelivery, StoredDestination
from pooldeck_server.domain.alerts.rules import AlertRule, StoredAlert, StoredRule
from pooldeck_server.domain.clock import Clock, span
from pooldeck_server.runtime.alerts.messages import Message, message_of
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.settings import AlertSettings
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.transaction import Transaction


@dataclass(kw_only=True, eq=False)
class Outbox:
    """Writes messages to the store, from which they are sent."""

    settings: AlertSettings
    recorder: Recorder
    reader: Reader
    clock: Clock

    async def step(self) -> bool:
        """Write the messages that are due; raises as `Recorder.perform`.

        Returns:
            Whether there is anything to tell of, now or later.
        """
        news = await self.reader.run(queries.alert_news)
        if not news:
            return False
        rules = await self.reader.run(queries.alert_rule_settings)
        if any(True for _ in self._due(news, rules, self.clock.now())):
            await self.recorder.perform(self._tell)
        return True

    async def send_test(self, destination: int, message: Message, action: Action) -> int:
        """Have a message delivered to one destination, and write down who did.

        Returns:
            The delivery's number.
        """
        now, new = self.clock.now(), _delivery(destination, _new_id(), message)

        def write(transaction: Transaction) -> int:
            records.act(transaction, action)
            return records.add_delivery(transaction, new, now)

        return await self.recorder.perform(write)

    def _tell(self, transaction: Transaction) -> None:
        now, connection = self.clock.now(), transaction.connection
        rules = queries.alert_rule_settings(connection)
        to = [each for each in queries.alert_destinations(connection) if each.is_on]
        for rule, alerts, is_quiet in self._due(queries.alert_news(connection), rules, now):
            numbers = [each.n for each in alerts]
            records.note_told(transaction, rule, numbers, None if is_quiet else now)
            its = [each for each in to if each.takes(rule)]
            _deliver(transaction, message_of(rule, alerts, now, self.settings.url), its, now)
        records.forget_alerts(transaction, now)

    def _due(
        self, news: Iterable[StoredAlert], rules: Iterable[StoredRule], now: int
    ) -> Iterator[tuple[AlertRule, Sequence[StoredAlert], bool]]:
        """Yield of each rule what is to be told now, and whether it goes on being quiet."""
        settings = {each.rule: each for each in rules}
        for rule, group in groupby(sorted(news, key=_rule_of), key=_rule_of):
            its = settings.get(rule) or StoredRule(rule)
            is_quiet = self._is_quiet(its, now)
            due = [each for each in group if not (is_quiet and each.has_news)]
            if due:
                yield rule, due, is_quiet or not any(each.has_news for each in due)

    def _is_quiet(self, rule: StoredRule, now: int) -> bool:
        quiet = rule.quiet_seconds
        length = span(self.settings.quiet_seconds if quiet is None else quiet)
        return rule.told_at is not None and rule.told_at <= now < rule.told_at + length


def _rule_of(alert: StoredAlert) -> AlertRule:
    return alert.rule


def _deliver(
    transaction: Transaction, message: Message, to: Sequence[StoredDestination], now: int
) -> None:
    """Have one message delivered to several destinations: its id is the same for all."""
    name = _new_id()
    for destination in to:
        records.add_delivery(transaction, _delivery(destination.id, name, message), now)


def _delivery(destination: int, name: str, message: Message) -> NewDelivery:
    payload = msgspec.json.encode(message).decode()
    return NewDelivery(destination, name, message.type, payload)


def _new_id() -> str:
    return f"msg_{uuid4().hex}"
