"""Tells the ends of tasks to the addresses that came with them, a few at a time to each host."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server import failpoints
from pooldeck_server.domain.alerts.callbacks import CallbackLook, DueCallback, Signing
from pooldeck_server.domain.alerts.deliveries import Attempted, next_try
from pooldeck_server.domain.alerts.webhooks import signed_headers
from pooldeck_server.domain.clock import SECOND, Clock
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.runtime.alerts.sending import UNWRITTEN_SECONDS, Sending, tried
from pooldeck_server.runtime.alerts.webhooks import Webhooks
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.settings import AlertSettings
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader

_AT_ONCE: Final = 32
_OF_HOST: Final = 4  # at once
_REST_SECONDS: Final = 10.0  # that a host which does not answer is left alone


@dataclass(kw_only=True, eq=False)
class CallbackSender(Sending):
    """Takes ends from the store to where they are told."""

    doing = "telling the ends of tasks"

    settings: AlertSettings
    webhooks: Webhooks
    recorder: Recorder
    reader: Reader
    clock: Clock
    signing: Signing  # replaced when somebody changes it
    chance: Callable[[], float] = random.random
    _busy: dict[int, str] = field(init=False, default_factory=dict)  # deliveries, with their hosts
    _last_host: str = field(init=False, default="")  # that was looked at
    _resting: dict[str, float] = field(init=False, default_factory=dict)  # hosts, and until when

    async def step(self) -> None:
        """Begin to tell what is due."""
        if not self.signing.is_on or len(self._busy) >= _AT_ONCE:
            return
        under_way = Counter(self._busy.values())
        full = {host for host, number in under_way.items() if number >= _OF_HOST}
        look = CallbackLook(
            limit=_AT_ONCE - len(self._busy),
            of_host=_OF_HOST,
            after=self._last_host,
            resting=frozenset(full | self._resting_hosts()),
            busy=tuple(self._busy),
        )
        found, self._last_host = await self.reader.run(
            queries.due_callbacks, look, self.clock.now()
        )
        for due in found:
            if under_way[due.host] < _OF_HOST and len(self._busy) < _AT_ONCE:
                under_way[due.host] += 1
                self._busy[due.id] = due.host
                self._sending.start(self._tell(due))

    def _resting_hosts(self) -> set[str]:
        now = self.clock.monotonic()
        self._resting = {host: until for host, until in self._resting.items() if until > now}
        return set(self._resting)

    async def _tell(self, due: DueCallback) -> None:
        try:
            ended = await tried(due.message, self._try(due))
            if not ended.is_delivered and ended.status is None:
                self._rest(due.host, _REST_SECONDS)
            if not await self._note(due, ended):
                self._rest(due.host, UNWRITTEN_SECONDS)
        finally:
            del self._busy[due.id]
            self.look_soon()

    def _rest(self, host: str, seconds: float) -> None:
        self._resting[host] = self.clock.monotonic() + seconds

    async def _try(self, due: DueCallback) -> Attempted:
        failpoints.reach("before_callback")
        try:
            self.settings.check_callback_host(due.host)
        except InvalidRequest as error:
            return Attempted(is_delivered=False, words=error.detail)
        now, body = self.clock.now(), due.payload.encode()
        secrets = self.signing.secrets
        valid = [each.secret for each in secrets if each.until is None or each.until > now]
        headers = signed_headers(due.message, now // SECOND, body, valid)
        return await self.webhooks.send(due.url, headers, body)

    async def _note(self, due: DueCallback, ended: Attempted) -> bool:
        """Keep how a try ended; return whether it could be."""
        now = self.clock.now()
        again = None
        if not ended.is_delivered and not ended.is_gone:
            again = next_try(due.tries + 1, now, self.chance(), ended.retry_after)
        self._count(ended, again)
        return await self.recorder.try_perform(
            lambda tx: records.note_callback(tx, due, ended, again, now), "the answer to a callback"
        )
