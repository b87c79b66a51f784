"""How late the event loop is: what waits for a turn of it waits that long."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.domain.measurements.cumulative import ANSWER_SECONDS, CumulativeHistogram
from pooldeck_server.runtime.background import BackgroundPart

_LOOK_SECONDS: Final = 0.5


@dataclass(eq=False)
class LoopLag(BackgroundPart):
    """Asks to be woken a few times a second, and measures how much later it is."""

    doing = "measuring how late the event loop is"

    seconds: CumulativeHistogram = field(
        init=False, default_factory=lambda: CumulativeHistogram(ANSWER_SECONDS)
    )

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LOOK_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
            self.seconds.add(max(0.0, loop.time() - due))
