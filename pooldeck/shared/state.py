"""Shared state: what is kept under each kind and name, behind one lock.

It runs in the process that keeps it, where a thread serves each connection; or, outside a server,
in the process that uses it.
"""

import os
import time
from collections.abc import Callable, Mapping
from threading import Lock, get_ident
from typing import Any, Final

import msgspec

from pooldeck.access import SharedLimits
from pooldeck.shared.errors import NotHeldError, SharedLimitError, SharedValueError
from pooldeck.shared.lock_state import Lease, LockState, SemaphoreState
from pooldeck.shared.rate_state import RateLimiterState
from pooldeck.shared.snapshot import Holder, SharedSnapshot
from pooldeck.shared.values_state import Budget, CounterState, DictState, ListState, NamedState

_LONGEST_NAME: Final = 200
_KINDS: Final[Mapping[str, type[NamedState]]] = {
    state.kind: state
    for state in (CounterState, DictState, ListState, LockState, SemaphoreState, RateLimiterState)
}


class State:
    """All that is shared. Its methods may be called from any thread.

    `kind` and `name` say what is meant, `settings` are those of the caller's proxy.
    """

    def __init__(self, limits: SharedLimits) -> None:
        self._limits = limits
        self._mutex = Lock()
        self._budget = Budget(limits.total_bytes)
        self._entries: dict[tuple[str, str], NamedState] = {}
        self._since = time.time_ns() // 1000

    def call(
        self, kind: str, name: str, settings: Mapping[str, float], operation: str, arguments: Any
    ) -> Any:
        """Do an operation on what has the name, which is made if there is nothing."""
        with self._mutex:
            entry = self._entry(kind, name)
            entry.configure(settings)
            if operation not in entry.operations:
                raise SharedValueError(f"a {kind} knows no {operation}")
            return getattr(entry, operation)(*arguments)

    def acquire(
        self,
        kind: str,
        name: str,
        settings: Mapping[str, float],
        holder: tuple[Any, ...],
        timeout: float | None,
    ) -> bool:
        """Take a permit of a lock or a semaphore; return whether it came within `timeout` seconds.

        `holder` has the fields of a `Holder`.
        """
        with self._mutex:
            entry = self._entry(kind, name)
            assert isinstance(entry, SemaphoreState)  # noqa: S101 - proxies ask for no others
            entry.configure(settings)
            lease = entry.request(Holder(*holder))
        lease.is_decided.wait(timeout)
        with self._mutex:
            return entry.confirm(lease)

    def delete(self, kind: str, name: str) -> bool:
        """Forget a name that no thread holds or waits for; return whether there was one."""
        with self._mutex:
            entry = self._entries.get((kind, name))
            if entry is None:
                return False
            if entry.is_in_use:
                raise NotHeldError(f"the {kind} {name!r} is in use")
            entry.clear()
            del self._entries[kind, name]
            return True

    def release_session(self) -> None:
        """Take back what the calling thread holds: its connection has ended."""
        session = get_ident()
        self._end_leases(lambda lease: lease.session == session)

    def release_worker(self, worker: str) -> None:
        """Take back what a worker holds: it has ended."""
        self._end_leases(lambda lease: lease.holder.worker == worker)

    def identify(self) -> str:
        """Return what tells this state from one before or after it."""
        return f"{os.getpid()}-{self._since}"

    def snapshot(self) -> Any:
        """Return a `SharedSnapshot` as plain data."""
        with self._mutex:
            entries = tuple(entry.snapshot(key[1]) for key, entry in sorted(self._entries.items()))
            used = self._budget.used
        return msgspec.to_builtins(SharedSnapshot(os.getpid(), self._since, used, entries))

    def _entry(self, kind: str, name: str) -> NamedState:
        entry = self._entries.get((kind, name))
        if entry is None:
            if not 0 < len(name) <= _LONGEST_NAME:
                raise SharedValueError(f"a name has 1 to {_LONGEST_NAME} characters: {name!r:.40}")
            if len(self._entries) >= self._limits.names:
                raise SharedLimitError(
                    f"there are {len(self._entries):,} names already, which is shared.names. "
                    "Delete some, or keep many values in one dict"
                )
            entry = self._entries[kind, name] = _KINDS[kind](self._budget)
        return entry

    def _end_leases(self, is_gone: Callable[[Lease], bool]) -> None:
        with self._mutex:
            for entry in self._entries.values():
                if isinstance(entry, SemaphoreState):
                    entry.end_leases(is_gone)
