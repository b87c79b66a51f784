"""A transport that sends what was written in one turn of the event loop with one system call.

uvicorn writes the head of an answer and its body apart; each call costs a server that answers
thousands of requests a second as much as all its checks of one.
"""

import asyncio
from typing import Any


class CoalescingTransport:
    """Stands before a transport, gathers writes until the loop's next turn, passes all else on."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._gathered: list[bytes] = []
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send `data`, with whatever else is written in this turn."""
        if not self._gathered:
            self._loop.call_soon(self._send)
        self._gathered.append(data)

    def close(self) -> None:
        """Send what was written, then close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._transport.write(b"".join(gathered))
