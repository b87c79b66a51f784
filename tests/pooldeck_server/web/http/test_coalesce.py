"""Answers leave with one system call, whole and in order."""

import asyncio
from typing import cast

from pooldeck_server.web.http.deadlines import CoalescingTransport


class _Recording:
    """What a transport does here: it keeps what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.told

    def get_extra_info(self, name: str, default: object = None) -> object:
        return name or default

    def pause_reading(self) -> None:
        self.told.append("paused")


def _corked() -> tuple[_Recording, CoalescingTransport]:
    transport = _Recording()
    return transport, CoalescingTransport(cast("asyncio.Transport", transport))


def test_what_is_written_in_one_turn_is_sent_at_once() -> None:
    async def told() -> list[bytes | str]:
        transport, corked = _corked()
        corked.write(b"head ")
        corked.write(b"body")
        assert transport.told == []
        await asyncio.sleep(0)
        corked.write(b"next")
        await asyncio.sleep(0)
        return transport.told

    assert asyncio.run(told()) == [b"head body", b"next"]


def test_a_close_sends_what_was_written_first() -> None:
    async def told() -> list[bytes | str]:
        transport, corked = _corked()
        corked.write(b"last words")
        corked.close()
        await asyncio.sleep(0)
        return transport.told

    assert asyncio.run(told()) == [b"last words", "closed"]


def test_all_else_is_the_transports_own() -> None:
    async def told() -> list[bytes | str]:
        transport, corked = _corked()
        corked.pause_reading()
        assert corked.get_extra_info("peername") == "peername"
        assert not corked.is_closing()
        return transport.told

    assert asyncio.run(told()) == ["paused"]
