"""A thread with an event loop of its own, in which the engine of a `Client` runs."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from pooldeck.client.engine import ClientEngine
from pooldeck.client.errors import ClientError

T = TypeVar("T")

_log = logging.getLogger(__name__)

_PATIENCE: Final = 5.0  # seconds for the thread to end


class LoopThread:
    """An engine that runs in a thread; it is there when the constructor returns.

    Args:
        make: Makes the engine, in the loop.

    Raises:
        Exception: What making it has raised.
    """

    def __init__(self, make: Callable[[], ClientEngine]) -> None:
        self._make = make
        self._made: Future[ClientEngine] = Future()
        self._stop: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, name="pooldeck-client", daemon=True)
        self._thread.start()
        self.engine = self._made.result()

    @property
    def is_alive(self) -> bool:
        """Tell whether it runs."""
        return self._thread.is_alive()

    @property
    def is_here(self) -> bool:
        """Tell whether the caller is in it."""
        return threading.current_thread() is self._thread

    def call(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine in the loop, and wait for what it returns.

        Raises:
            ClientError: If the loop has ended.
            TimeoutError: If the seconds are over.
        """
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()
            raise ClientError("the client is closed: make another one") from None
        try:
            return future.result(timeout)
        except BaseException:  # also Ctrl-C: nobody waits for it any more
            future.cancel()
            raise

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine in the loop, without waiting for it."""
        try:
            asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()

    def stop(self) -> None:
        """End the loop and the thread."""
        try:
            self._loop.call_soon_threadsafe(self._stop.set)
        except RuntimeError:
            return
        if not self.is_here:
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - whoever waits for the engine has to know
            if not self._made.done():
                self._made.set_exception(error)

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        engine = self._make()
        self._made.set_result(engine)
        try:
            await self._stop.wait()
        finally:
            await engine.close(wait=False)


class Callbacks:
    """A thread for what users have called when a task has ended: it may take its time, or wait."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def call(self, call: Callable[[], None]) -> None:
        """Have something called, after what was given before."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="pooldeck-client-callbacks", daemon=True
                )
                self._thread.start()
        self._calls.put(call)

    def stop(self) -> None:
        """End the thread after what it has to call; another begins if there is more."""
        with self._lock:
            if self._thread is not None:
                self._calls.put(None)
                self._thread = None

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call()
            except BaseException:  # noqa: BLE001 - it would end the thread, and with it the others
                _log.exception("a callback of a future has failed")
