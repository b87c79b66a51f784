"""Counters, dicts and lists where they are kept: each operation is one step, whole or not at all.

Values are JSON texts that are never decoded here, except the numbers that are counted.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from pooldeck.shared.errors import SharedLimitError, SharedValueError
from pooldeck.shared.snapshot import SharedEntry
from pooldeck.shared.values import decode, number

_ENTRY_BYTES: Final = 64  # beside key and value, about what Python itself takes for an entry


@dataclass
class Budget:
    """The bytes of all values, and how many there may be."""

    limit: int
    used: int = field(default=0, init=False)

    def reserve(self, more: int) -> None:
        """Reserve so many bytes more, if they fit, or give back as many."""
        if more > 0 and self.used + more > self.limit:
            raise SharedLimitError(
                f"shared state has no room for {more:,} bytes more: it has {self.used:,} of "
                f"shared.total_bytes = {self.limit:,}. Take something out, or raise the limit"
            )
        self.used += more


@dataclass(eq=False)
class NamedState(ABC):
    """What is kept under one name. Callers see to it that its operations come one by one."""

    kind: ClassVar[str]
    operations: ClassVar[frozenset[str]]

    budget: Budget
    _bytes: int = field(default=0, init=False)
    _settings: Mapping[str, float] = field(default_factory=dict, init=False)

    def configure(self, settings: Mapping[str, float]) -> None:
        """Apply the settings that come with a call: those of the latest call count."""
        self._settings = settings

    def clear(self) -> None:
        self._reserve(-self._bytes)

    @property
    def is_in_use(self) -> bool:
        return False

    @abstractmethod
    def snapshot(self, name: str) -> SharedEntry:
        """Return how it looks from outside."""

    def _reserve(self, more: int) -> None:
        self.budget.reserve(more)
        self._bytes += more


@dataclass(eq=False)
class CounterState(NamedState):
    """A whole number."""

    kind = "counter"
    operations = frozenset({"add", "get", "set"})

    _value: int = field(default=0, init=False)

    def add(self, n: int) -> int:
        self._value = number(self._value + n)
        return self._value

    def get(self) -> int:
        return self._value

    def set(self, value: int) -> int:
        before, self._value = self._value, number(value)
        return before

    def snapshot(self, name: str) -> SharedEntry:
        return SharedEntry(self.kind, name, value=self._value)


class CollectionState(NamedState):
    """Several values."""

    _items: dict[str, bytes] | deque[bytes]

    def size(self) -> int:
        return len(self._items)

    def clear(self) -> None:
        super().clear()
        self._items.clear()

    def snapshot(self, name: str) -> SharedEntry:
        return SharedEntry(self.kind, name, size=len(self._items), bytes=self._bytes)


@dataclass(eq=False)
class DictState(CollectionState):
    """Values by key."""

    kind = "dict"
    operations = frozenset(
        {"clear", "get", "has", "increment", "items", "keys", "pop", "setdefault", "size", "update"}
    )

    _items: dict[str, bytes] = field(default_factory=dict, init=False)

    def get(self, key: str) -> bytes | None:
        return self._items.get(key)

    def has(self, key: str) -> bool:
        return key in self._items

    def update(self, pairs: Mapping[str, bytes]) -> None:
        self._reserve(sum(_size(key, pairs[key]) - self._size_of(key) for key in pairs))
        self._items.update(pairs)

    def setdefault(self, key: str, value: bytes) -> bytes:
        if key not in self._items:
            self.update({key: value})
        return self._items[key]

    def pop(self, key: str) -> bytes | None:
        self._reserve(-self._size_of(key))
        return self._items.pop(key, None)

    def increment(self, key: str, n: int) -> int:
        """Add to the number of a key, which begins with 0; return what it is now."""
        before = decode(self._items.get(key, b"0"))
        if not isinstance(before, int) or isinstance(before, bool):
            raise SharedValueError(f"the value of {key!r} is no whole number")
        after = number(before + n)
        self.update({key: b"%d" % after})
        return after

    def items(self) -> dict[str, bytes]:
        return dict(self._items)

    def keys(self) -> list[str]:
        return list(self._items)

    def _size_of(self, key: str) -> int:
        value = self._items.get(key)
        return 0 if value is None else _size(key, value)


@dataclass(eq=False)
class ListState(CollectionState):
    """Values in order; both ends are equally near.

    What `index` names and is not there is an `IndexError`.
    """

    kind = "list"
    operations = frozenset({"clear", "extend", "get", "items", "pop", "set", "size"})

    _items: deque[bytes] = field(default_factory=deque, init=False)

    def extend(self, values: Sequence[bytes]) -> int:
        self._reserve(sum(_size("", value) for value in values))
        self._items.extend(values)
        return len(self._items)

    def pop(self, index: int) -> bytes:
        value = self._items[index]
        del self._items[index]
        self._reserve(-_size("", value))
        return value

    def get(self, index: int) -> bytes:
        return self._items[index]

    def set(self, index: int, value: bytes) -> None:
        self._reserve(len(value) - len(self._items[index]))
        self._items[index] = value

    def items(self) -> list[bytes]:
        return list(self._items)


def _size(key: str, value: bytes) -> int:
    return len(key.encode()) + len(value) + _ENTRY_BYTES
