"""Proxies of shared counters, dicts and lists. A proxy is only its name; make it anywhere."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from pooldeck.shared.backend import backend
from pooldeck.shared.errors import SharedValueError
from pooldeck.shared.values import decode, encode, number

_MISSING: Final = object()


def _key(key: str) -> str:
    """Return a key of a shared dict.

    Raises:
        SharedValueError: If it is no text, as JSON wants it.
    """
    if not isinstance(key, str):
        raise SharedValueError(f"the keys of a shared dict are texts, not {key!r}")
    return key


class Proxy:
    """Something that all workers share, by its name.

    Args:
        name: Its name among those of its kind.
    """

    kind: ClassVar[str]

    def __init__(self, name: str) -> None:
        self.name = name
        self._settings: Mapping[str, float] = {}

    def __repr__(self) -> str:
        return f"shared.{self.kind}({self.name!r})"

    def delete(self) -> bool:
        """Forget the name and what is in it; return whether there was anything.

        Raises:
            NotHeldError: If it is a lock that somebody holds or waits for.
        """
        return bool(backend().call("delete", self.kind, self.name))

    def _call(self, operation: str, *arguments: Any) -> Any:
        return backend().call("call", self.kind, self.name, self._settings, operation, arguments)


class Counter(Proxy):
    """A whole number of at most 64 bits, 0 at first."""

    kind = "counter"

    def add(self, n: int = 1) -> int:
        """Add `n`, which may be negative, and return the new value: nobody else gets the same."""
        return int(self._call("add", number(n)))

    def set(self, value: int) -> int:
        """Set the value; return what it was."""
        return int(self._call("set", number(value)))

    @property
    def value(self) -> int:
        """The present value."""
        return int(self._call("get"))


class Dict(Proxy):
    """Values by key, as JSON has them. Each method is one step, whole or not at all.

    What it gives are copies: changing one changes nothing here. Between two methods others may
    come; where that matters, `increment` and `setdefault` do in one step what needs it most often,
    and a `lock` does the rest.
    """

    kind = "dict"

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, `default` if there is none."""
        value = self._call("get", _key(key))
        return default if value is None else decode(value)

    def update(self, pairs: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Set several values in one step."""
        most = backend().limits.value_bytes
        both = {**(pairs or {}), **more}
        self._call("update", {_key(key): encode(value, most) for key, value in both.items()})

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        """Take a value out and return it: nobody else gets it.

        Raises:
            KeyError: If there is none, and no default.
        """
        value = self._call("pop", _key(key))
        if value is None and default is _MISSING:
            raise KeyError(key)
        return default if value is None else decode(value)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of a key; it is set to `default` if there is none."""
        value = encode(default, backend().limits.value_bytes)
        return decode(self._call("setdefault", _key(key), value))

    def increment(self, key: str, n: int = 1) -> int:
        """Add `n` to the whole number of a key, 0 at first; return the new value."""
        return int(self._call("increment", _key(key), number(n)))

    def keys(self) -> list[str]:
        """Return the keys as they are now."""
        return list(self._call("keys"))

    def copy(self) -> dict[str, Any]:
        """Return all of it, as it is at one moment."""
        return {key: decode(value) for key, value in self._call("items").items()}

    def clear(self) -> None:
        """Empty it."""
        self._call("clear")

    def __getitem__(self, key: str) -> Any:
        value = self._call("get", _key(key))
        if value is None:
            raise KeyError(key)
        return decode(value)

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def __contains__(self, key: str) -> bool:
        return bool(self._call("has", _key(key)))

    def __len__(self) -> int:
        return int(self._call("size"))


class List(Proxy):
    """Values in order, as JSON has them. Each method is one step; what it gives are copies."""

    kind = "list"

    def append(self, value: Any) -> int:
        """Add a value at the end; return how many there are now."""
        return self.extend([value])

    def extend(self, values: Iterable[Any]) -> int:
        """Add values at the end, next to each other; return how many there are now."""
        most = backend().limits.value_bytes
        return int(self._call("extend", [encode(value, most) for value in values]))

    def pop(self, index: int = -1) -> Any:
        """Take an item out and return it: nobody else gets it. `pop(0)` takes the oldest.

        Raises:
            IndexError: If there is none.
        """
        return decode(self._call("pop", index))

    def copy(self) -> list[Any]:
        """Return all of it, as it is at one moment."""
        return [decode(value) for value in self._call("items")]

    def clear(self) -> None:
        """Empty it."""
        self._call("clear")

    def __getitem__(self, index: int) -> Any:
        return decode(self._call("get", index))

    def __setitem__(self, index: int, value: Any) -> None:
        self._call("set", index, encode(value, backend().limits.value_bytes))

    def __len__(self) -> int:
        return int(self._call("size"))
