"""The log of actions over time: old ones go, and wrong tokens are counted by address and hour."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import msgspec

from pooldeck_server.domain.actions import Actor, ActorKind, Deed
from pooldeck_server.domain.clock import HOUR, Clock
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.vouched_clock import VouchedClock
from pooldeck_server.store import records

_DAY: Final = 24 * HOUR
_PAUSE: Final = 3600.0  # seconds between two looks at what is old
_SHORTLY: Final = 0.2  # seconds between two batches
_MOST_ADDRESSES: Final = 50  # that are told apart within an hour
_OTHERS: Final = "others"


@dataclass(kw_only=True, eq=False)
class ActionLog(BackgroundPart):
    """Keeps `most` actions for `keep_days`; 0: any number, for ever."""

    doing = "trimming the log of actions"

    recorder: Recorder
    clock: Clock
    vouched: VouchedClock  # by which something is too old
    keep_days: int
    most: int
    _hour: int = field(init=False, default=0)
    _addresses: set[str] = field(init=False, default_factory=set)

    async def _run(self) -> None:
        while True:
            more = await self.step()
            await asyncio.sleep(_SHORTLY if more else _PAUSE)

    async def step(self) -> bool:
        """Delete some of what is old, or too much; return whether there may be more."""
        if not self.keep_days and not self.most:
            return False
        before = self.vouched.now() - self.keep_days * _DAY if self.keep_days else None
        most = self.most or None
        try:
            return (
                await self.recorder.perform(lambda tx: records.trim_actions(tx, before, most)) > 0
            )
        except PooldeckError:  # it does not take writes, and that is told
            return False

    def note_failed_login(self, address: str) -> None:
        """Note that somebody has shown a wrong token: one action for each address and hour.

        Of more than 50 addresses within an hour the rest are one, so that a flood stays small.
        """
        now = self.clock.now()
        if now // HOUR != self._hour:
            self._hour = now // HOUR
            self._addresses.clear()
        if address not in self._addresses and len(self._addresses) >= _MOST_ADDRESSES:
            address = _OTHERS
        self._addresses.add(address)
        somebody = Actor("", ActorKind.STRANGER, address or None)
        action = acting.action(now, Deed.FAIL_LOG_IN, "session", by=somebody)
        key = f"wrong-{self._hour}-{address}"
        self.recorder.record_action(msgspec.structs.replace(action, id=key))
