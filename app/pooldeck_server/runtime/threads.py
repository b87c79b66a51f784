"""Calls that may block for long, on threads that nobody waits for at the end of the server."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[[], T], name: str) -> T:
    """Return what `call` returns on a thread of its own; raises as it.

    Whoever stops waiting leaves the thread to itself: it goes when the call comes back.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(value)  # type: ignore[arg-type]  # what the call returned
        else:
            answer.set_exception(error)

    def run() -> None:
        try:
            value = call()
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            _tell(loop, settle, None, error)
        else:
            _tell(loop, settle, value, None)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await answer


def _tell(
    loop: asyncio.AbstractEventLoop,
    settle: Callable[[T | None, Exception | None], None],
    value: T | None,
    error: Exception | None,
) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(settle, value, error)
