"""Errors of what was opened in one place and used in another are recognised by their real texts."""

import asyncio
import pickle
import sqlite3
import threading
from collections.abc import Callable

import pytest

from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.failures.hints import Hint, hint_for


def _error(message: str) -> Error:
    return Error(ErrorKind.EXCEPTION, "Error", message)


def _message(call: Callable[[], object]) -> str:
    """Return what a call complains of, run in a thread of its own."""
    said: list[str] = []

    def run() -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - its text is wanted
            said.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return said[0]


def test_a_connection_of_sqlite_that_was_opened_in_another_thread() -> None:
    connection = sqlite3.connect(":memory:")
    message = _message(lambda: connection.execute("SELECT 1"))
    connection.close()
    assert hint_for(_error(message)) is Hint.OTHER_THREAD


def test_a_lock_of_another_event_loop() -> None:
    lock = asyncio.Lock()

    async def use() -> None:
        await lock.acquire()
        await asyncio.wait_for(lock.acquire(), 0.01)

    _message(lambda: asyncio.run(use()))
    message = _message(lambda: asyncio.run(use()))
    assert hint_for(_error(message)) is Hint.OTHER_LOOP


@pytest.mark.parametrize("live", [sqlite3.connect, threading.Lock])
def test_a_live_object_on_its_way_to_another_process(live: Callable[..., object]) -> None:
    value = live(":memory:") if live is sqlite3.connect else live()
    message = _message(lambda: pickle.dumps(value))
    if isinstance(value, sqlite3.Connection):
        value.close()
    assert hint_for(_error(message)) is Hint.CANNOT_TRAVEL


@pytest.mark.parametrize(
    "message",
    [
        "SSL error: decryption failed or bad record mac",
        "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad record mac (_ssl.c:1)",
        'lost synchronization with server: got message type "a", length 1',
        "message type 0x5a arrived from server while idle",
        "Packet sequence number wrong - got 1 expected 2",
        "(2014, 'Commands out of sync; you can't run this command now')",
        "cannot perform operation: another operation is in progress",
        "another command is already in progress",
    ],
)
def test_two_who_spoke_on_one_connection(message: str) -> None:
    assert hint_for(_error(message)) is Hint.SHARED_CONNECTION


@pytest.mark.parametrize("message", ["", "division by zero", "database is locked", "timed out"])
def test_errors_that_speak_for_themselves_get_no_hint(message: str) -> None:
    assert hint_for(_error(message)) is None
