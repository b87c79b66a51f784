"""Answers on their way out: in few system calls, and not for ever where nobody reads them."""

import asyncio
from collections.abc import Callable
from typing import Any


class CoalescingTransport:
    """Stands before a transport, gathers writes, passes all else on.

    They leave when an answer is whole (`flush`), and at the latest in the loop's next turn.

    uvicorn writes the head of an answer and its body apart; each system call costs a server that
    answers thousands of requests a second as much as all its checks of one.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        on_close: Callable[[asyncio.Transport], None],
    ) -> None:
        self._transport = transport
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._gathered: list[bytes] = []
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self.is_closing():
            return
        if not self._gathered:
            self._loop.call_soon(self.flush)
        self._gathered.append(data)

    def close(self) -> None:
        """Close when all is sent that was written; `on_close` hears of it."""
        if not self.is_closing():
            self.flush()
            self._transport.close()
            self._on_close(self._transport)

    def flush(self) -> None:
        """Send what was gathered."""
        gathered, self._gathered = self._gathered, []
        if gathered and not self.is_closing():
            self._transport.write(b"".join(gathered))


class Unread:
    """The answers that their readers do not take as fast as they are written.

    A reader that takes nothing for `seconds` is cut off. All of these answers together may take
    `most` bytes of memory; over that, the ones that wait longest go.
    """

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._checks: dict[asyncio.Transport, asyncio.TimerHandle] = {}

    def watch(self, transport: asyncio.Transport) -> None:
        """See to it that what `transport` has to send is taken."""
        if transport in self._checks or not transport.get_write_buffer_size():
            return
        self._check_again(transport)
        while sum(each.get_write_buffer_size() for each in self._checks) > self._most:
            self._cut_off(next(iter(self._checks)))

    def forget(self, transport: asyncio.Transport) -> None:
        """Let a transport be whose reader has caught up, or that is no more."""
        if check := self._checks.pop(transport, None):
            check.cancel()

    def _check_again(self, transport: asyncio.Transport) -> None:
        size = transport.get_write_buffer_size()
        loop = asyncio.get_running_loop()
        self._checks[transport] = loop.call_later(self._seconds, self._check, transport, size)

    def _check(self, transport: asyncio.Transport, before: int) -> None:
        if transport.get_write_buffer_size() < before:
            self._check_again(transport)
        else:
            self._cut_off(transport)

    def _cut_off(self, transport: asyncio.Transport) -> None:
        self.forget(transport)
        transport.abort()
