"""Questions to a host where calls are: they are asked once, however many wait for the answer."""

import asyncio
from collections.abc import Callable
from typing import Final

_LOOK: Final = 10.0  # seconds for a host to say where a call is


class StackQuestions:
    """The questions that a boot has not answered.

    Args:
        ask: Asks the host where the call of a task is.
    """

    def __init__(self, ask: Callable[[str], None]) -> None:
        self._ask = ask
        self._asked: dict[str, asyncio.Future[str | None]] = {}

    async def stack(self, task: str) -> str | None:
        """Return where the call of a task is; None if that is not known in time."""
        if task not in self._asked:
            self._asked[task] = asyncio.get_running_loop().create_future()
            self._ask(task)
        try:
            return await asyncio.wait_for(asyncio.shield(self._asked[task]), _LOOK)
        except TimeoutError:
            self._asked.pop(task, None)
            return None

    def answer(self, task: str, text: str | None) -> None:
        """Take what the host says."""
        asked = self._asked.pop(task, None)
        if asked is not None and not asked.done():
            asked.set_result(text)

    def end(self) -> None:
        """Let nobody wait any more: the host is gone."""
        for task in list(self._asked):
            self.answer(task, None)
