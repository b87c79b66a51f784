"""What all do that send from the store: look, begin to send what is due, note how each try ended.

A message is sent at least once: where the server dies between an answer and the note of it, the
receiver gets it again, with the same id.
"""

import asyncio
import logging
from abc import abstractmethod
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.domain.alerts.deliveries import Attempted
from pooldeck_server.domain.alerts.outbox import SendOutcome
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.runtime.background import BackgroundPart, BackgroundTasks

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 2.0
UNWRITTEN_SECONDS: Final = 60.0
"""How long a receiver is left alone if its answer could not be kept."""


@dataclass(kw_only=True, eq=False)
class Sending(BackgroundPart):
    """Looks again and again for what is due; `step` begins to send it."""

    outcomes: Counter[SendOutcome] = field(init=False, default_factory=Counter)  # since the start
    _sending: BackgroundTasks = field(init=False, default_factory=BackgroundTasks)
    _asked: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    def look_soon(self) -> None:
        """Look now whether something is to be sent, instead of in a moment."""
        self._asked.set()

    async def _run(self) -> None:
        while True:
            try:
                await self.step()
            except PooldeckError as error:  # which is told of by itself
                _log.debug("%s waits: %s", self.doing, error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), _LOOK_SECONDS)
            self._asked.clear()

    @abstractmethod
    async def step(self) -> None:
        """Begin to send what is due."""

    def _count(self, ended: Attempted, next_at: int | None) -> None:
        """Count how a try ended; `next_at` is when there will be another one."""
        if ended.is_delivered:
            outcome = SendOutcome.DELIVERED
        else:
            outcome = SendOutcome.GIVEN_UP if next_at is None else SendOutcome.FAILED
        self.outcomes[outcome] += 1

    async def finish(self) -> None:
        """Wait until what is being sent has been answered."""
        await self._sending.finish()

    async def stop(self) -> None:
        await super().stop()
        await self._sending.stop()


async def tried(message: str, trying: Awaitable[Attempted]) -> Attempted:
    """Try once; what nobody has thought of is a failed try too, so that a pause follows."""
    try:
        return await trying
    except Exception as error:  # noqa: BLE001 - without a note of it it would be tried for ever
        kind = type(error).__name__  # its words may hold a secret
        _log.warning("message %s could not be sent: %s", message, kind)
        return Attempted(is_delivered=False, words=f"the server could not send it: {kind}")
