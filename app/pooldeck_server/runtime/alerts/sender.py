"""Sends alerts that wait in the store, one at a time to each destination, until they arrive."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server import failpoints
from pooldeck_server.domain.actions import Deed
from pooldeck_server.domain.alerts.deliveries import (
    Attempted,
    DestinationKind,
    DueDelivery,
    next_try,
)
from pooldeck_server.domain.alerts.webhooks import signed_headers
from pooldeck_server.domain.clock import SECOND, Clock
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.alerts.messages import in_words
from pooldeck_server.runtime.alerts.outbox import Outbox
from pooldeck_server.runtime.alerts.sending import UNWRITTEN_SECONDS, Sending, tried
from pooldeck_server.runtime.alerts.services import notify_service
from pooldeck_server.runtime.alerts.webhooks import Webhooks
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)
_AT_ONCE: Final = 8  # destinations
_ALERTS: Final = acting.part("alerts")
_GONE: Final = "it answered 410: it does not want to hear of anything again"


@dataclass(kw_only=True, eq=False)
class AlertSender(Sending):
    """Takes messages from the outbox to their destinations."""

    doing = "sending alerts"

    outbox: Outbox
    webhooks: Webhooks
    recorder: Recorder
    reader: Reader
    clock: Clock
    chance: Callable[[], float] = random.random
    _busy: set[int] = field(init=False, default_factory=set)
    _idle_since: int | None = field(init=False, default=None)  # as many commits as there were then

    async def step(self) -> None:
        """Write what is new to the outbox, and begin to send what is due.

        Where nothing was to be told or sent, only a commit can change that.
        """
        commits = self.recorder.commits
        if commits == self._idle_since:
            return
        has_news = await self.outbox.step()
        free = _AT_ONCE - len(self._busy)
        if free <= 0:
            return
        busy = tuple(self._busy)
        for due in await self.reader.run(queries.due_deliveries, self.clock.now(), free, busy):
            if due.destination not in self._busy:
                self._busy.add(due.destination)
                self._sending.start(self._deliver(due))
        if not has_news and not await self.reader.run(queries.has_deliveries_waiting):
            self._idle_since = commits

    async def _deliver(self, due: DueDelivery) -> None:
        try:
            ended = await tried(due.message, self._try(due))
            if not await self._note(due, ended):
                await asyncio.sleep(UNWRITTEN_SECONDS)
        finally:
            self._busy.discard(due.destination)
            self.look_soon()

    async def _try(self, due: DueDelivery) -> Attempted:
        failpoints.reach("before_alert")
        if due.kind is DestinationKind.APPRISE:
            return await notify_service(due.url, *in_words(due.payload))
        now, body = self.clock.now(), due.payload.encode()
        signing = [each.secret for each in due.secrets if each.until is None or each.until > now]
        headers = signed_headers(due.message, now // SECOND, body, signing)
        return await self.webhooks.send(due.url, headers, body)

    async def _note(self, due: DueDelivery, ended: Attempted) -> bool:
        """Keep how a try ended; return whether it could be."""
        now = self.clock.now()
        again = None
        if not ended.is_delivered and not ended.is_gone:
            again = next_try(due.tries + 1, now, self.chance(), ended.retry_after)
        self._count(ended, again)
        if not ended.is_delivered and again is None:
            _log.warning(
                "alert %s is given up: destination %d, try %d: %s",
                due.message,
                due.destination,
                due.tries + 1,
                ended.words.partition(":")[0],
            )

        turned_off = acting.action(
            now,
            Deed.TURN_DESTINATION,
            "destination",
            due.name,
            after={"is_on": False},
            reason=_GONE,
            by=_ALERTS,
        )

        def write(transaction: Transaction) -> None:
            is_there = records.note_try(transaction, due, ended, again, now)
            if is_there and ended.is_gone:
                records.turn_destination(transaction, due.destination, is_on=False, trouble=_GONE)
                records.act(transaction, turned_off)

        return await self.recorder.try_perform(write, "the answer to an alert")
