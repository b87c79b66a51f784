"""Where a running call is at this moment, asked of its worker without disturbing it.

The worker answers from a thread of its own. Where C code holds the GIL that thread cannot; then a
signal, which no other thread takes, makes the worker write the stacks of all threads to a file. A
worker that is merely slow is given time: its stacks change, and to read them meanwhile can end it.
"""

import asyncio
import itertools
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import pooldeck
from pooldeck.pools import gil
from pooldeck.pools.worker import Running, Worker
from pooldeck.protocol import STACK_SIGNAL, Look, Stack

_ANSWER_SECONDS: Final = 0.5
_WAITS: Final = 6  # for an answer, while it is not the GIL that keeps the worker from it
_FILE_SECONDS: Final = 1.0
_PAUSE: Final = 0.02
_MOST: Final = 100  # places of a thread that faulthandler writes; some versions say so, some do not
_CUT: Final = "  ..."  # stands for those that it leaves out, the outermost ones
_MACHINERY: Final = tuple(
    f'  File "{Path(file).parent}{os.sep}' for file in (pooldeck.__file__, asyncio.__file__)
)


class StackRequests:
    """The questions that are under way in a pool. Those for the same call share an answer."""

    def __init__(self) -> None:
        self._asked: dict[str, asyncio.Future[str | None]] = {}
        self._turn = asyncio.Lock()  # who has a worker write its file

    def answer(self, stack: Stack) -> None:
        asked = self._asked.pop(stack.task, None)
        if asked is not None and not asked.done():
            asked.set_result(stack.text)

    async def at(self, worker: Worker, running: Running) -> str | None:
        """Return the stack of a call, innermost frame last; None if it has ended meanwhile."""
        task = running.call.task
        if task not in self._asked:
            self._asked[task] = asyncio.get_running_loop().create_future()
            worker.process.tell(Look(task))
        with suppress(TimeoutError):
            return await self._answered(self._asked[task], worker)
        self._asked.pop(task, None)
        async with self._turn:
            return await self._from_file(worker, running)

    async def _answered(self, asked: "asyncio.Future[str | None]", worker: Worker) -> str | None:
        """Return the answer of a worker.

        Raises:
            TimeoutError: If there is none because of the GIL, or none for long.
        """
        threads = [one.native_id for one in (*worker.running.values(), *worker.abandoned.values())]
        for _ in range(_WAITS):
            done, _ = await asyncio.wait([asked], timeout=_ANSWER_SECONDS)
            if done:
                return asked.result()
            if await asyncio.to_thread(gil.is_held, worker.pid, threads):
                break
        raise TimeoutError

    async def _from_file(self, worker: Worker, running: Running) -> str | None:
        path = worker.process.setup.stack_path
        if path is None or running.call.task not in worker.running:
            return None
        with suppress(OSError):  # the worker is gone, and its file with it
            os.truncate(path, 0)
            worker.process.signal(STACK_SIGNAL)
            return _section(await _written(Path(path).read_text), running.ident)
        return None


async def _written(read: Callable[[], str]) -> str:
    """Return what `read` finds when no more is added to it, or after a second."""
    text = ""
    loop = asyncio.get_running_loop()
    until = loop.time() + _FILE_SECONDS
    while loop.time() < until:
        await asyncio.sleep(_PAUSE)
        before, text = text, read()
        if text and text == before:
            break
    return text


def _section(text: str, ident: int) -> str | None:
    """Return the stack of one thread out of faulthandler's, innermost frame last."""
    for stack in text.split("\n\n"):
        title, _, frames = stack.strip().partition("\n")
        if f"0x{ident:016x}" in title:
            return "\n".join(_users_part(frames.splitlines()[::-1]))
    return text or None


def _users_part(places: list[str]) -> list[str]:
    """Return a stack from the user's code on, as `pooldeck.worker.stacks` does.

    The outermost places of a deep one are missing: what is there, then, is all the user's.
    """
    if len(places) >= _MOST:
        return [_CUT, *places[-_MOST:]]
    inside = itertools.dropwhile(lambda place: not place.startswith(_MACHINERY), places)
    return list(itertools.dropwhile(lambda place: place.startswith(_MACHINERY), inside)) or places
