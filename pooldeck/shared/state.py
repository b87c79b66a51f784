"""Shared state itself: things by kind and name, behind one lock.

It runs in the process that keeps it, where a thread serves each connection; or, outside a server,
in the process that uses it.
"""

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock, get_ident
from typing import Any, Final

import msgspec

from pooldeck.access import SharedLimits
from pooldeck.shared.errors import NotHeldError, SharedLimitError, SharedValueError
from pooldeck.shared.lock_state import Lease, LockThing, PermitsThing, SemaphoreThing
from pooldeck.shared.rate_state import RateThing
from pooldeck.shared.snapshot import Holder, SharedPicture
from pooldeck.shared.values_state import Budget, CounterThing, DictThing, ListThing, SharedValue

_LONGEST_NAME: Final = 200


class State:
    """All that is shared. Its methods may be called from any thread.

    Args:
        limits: How much fits in.
    """

    def __init__(self, limits: SharedLimits) -> None:
        self._limits = limits
        self._mutex = Lock()
        self._budget = Budget(limits.total_bytes)
        self._things: dict[tuple[str, str], SharedValue] = {}
        self._since = time.time_ns() // 1000
        self._kinds: Mapping[str, Callable[[Budget], SharedValue]] = {
            "counter": CounterThing,
            "dict": DictThing,
            "list": ListThing,
            "lock": partial(LockThing, mutex=self._mutex),
            "semaphore": partial(SemaphoreThing, mutex=self._mutex),
            "rate_limiter": RateThing,
        }

    def call(
        self, kind: str, name: str, settings: Mapping[str, float], operation: str, arguments: Any
    ) -> Any:
        """Do something with a thing, which is made if there is none of that name.

        Args:
            kind: What it is.
            name: Its name among those of its kind.
            settings: Its settings, as the caller has them.
            operation: What to do.
            arguments: What the operation takes, in order.

        Raises:
            SharedError: If it cannot be done.
            LookupError: If there is no such item.
        """
        with self._mutex:
            thing = self._thing(kind, name)
            thing.adjust(settings)
            if operation not in thing.operations:
                raise SharedValueError(f"a {kind} knows no {operation}")
            return getattr(thing, operation)(*arguments)

    def acquire(
        self,
        kind: str,
        name: str,
        settings: Mapping[str, float],
        holder: tuple[Any, ...],
        timeout: float | None,
    ) -> bool:
        """Take a permit of a lock or a semaphore.

        Args:
            kind: Which of them.
            name: Its name.
            settings: Its settings.
            holder: The fields of a `Holder`.
            timeout: How long to wait, in seconds; None for as long as it takes.

        Returns:
            Whether it was there in time.

        Raises:
            SharedError: If it cannot be waited for.
        """
        with self._mutex:
            thing = self._thing(kind, name)
            assert isinstance(thing, PermitsThing)  # noqa: S101 - the handles ask for no others
            thing.adjust(settings)
            may_wait = timeout is None or timeout > 0
            found = thing.acquire(Holder(*holder), may_wait=may_wait)
        return found.wait(timeout) if isinstance(found, Lease) else found

    def delete(self, kind: str, name: str) -> bool:
        """Forget a name; return whether there was one.

        Raises:
            NotHeldError: If somebody holds it or waits for it.
        """
        with self._mutex:
            thing = self._things.get((kind, name))
            if thing is None:
                return False
            if thing.is_in_use:
                raise NotHeldError(f"the {kind} {name!r} is in use")
            thing.clear()
            del self._things[kind, name]
            return True

    def leave(self) -> None:
        """Take back what the caller's thread holds: its connection has ended."""
        session = get_ident()
        self._end(lambda lease: lease.session == session)

    def forget(self, worker: str) -> None:
        """Take back what a worker holds: it has ended."""
        self._end(lambda lease: lease.holder.worker == worker)

    def identify(self) -> str:
        """Return what tells this state from one before or after it."""
        return f"{os.getpid()}-{self._since}"

    def picture(self) -> Any:
        """Return a `SharedPicture` as plain data."""
        with self._mutex:
            things = sorted(self._things.items())
            shown = tuple(thing.shown(name) for (_, name), thing in things)
            used = self._budget.used
        return msgspec.to_builtins(SharedPicture(os.getpid(), self._since, used, shown))

    def _thing(self, kind: str, name: str) -> SharedValue:
        thing = self._things.get((kind, name))
        if thing is None:
            if not 0 < len(name) <= _LONGEST_NAME:
                raise SharedValueError(f"a name has 1 to {_LONGEST_NAME} characters: {name!r:.40}")
            if len(self._things) >= self._limits.names:
                raise SharedLimitError(
                    f"there are {len(self._things):,} names already, which is shared.names. "
                    "Delete some, or keep many values in one dict"
                )
            thing = self._things[kind, name] = self._kinds[kind](self._budget)
        return thing

    def _end(self, is_gone: Callable[[Lease], bool]) -> None:
        with self._mutex:
            for thing in self._things.values():
                if isinstance(thing, PermitsThing):
                    thing.end(is_gone)
