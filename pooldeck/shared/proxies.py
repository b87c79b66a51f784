"""Proxies of shared values and rate limiters. A proxy is only its name; make it anywhere."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from pooldeck.shared.backend import backend
from pooldeck.shared.errors import SharedValueError
from pooldeck.shared.values import decode, encode, number

_MISSING: Final = object()
_sleep = time.sleep  # kept, since tasks may replace it


def _key(key: str) -> str:
    """Return a key of a shared dict, which is a text, as JSON wants it."""
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


class Collection(Proxy):
    """Several values, as JSON has them."""

    def clear(self) -> None:
        """Empty it."""
        self._call("clear")

    def __len__(self) -> int:
        return int(self._call("size"))

    @staticmethod
    def _encode(value: Any) -> bytes:
        return encode(value, backend().limits.value_bytes)


class Dict(Collection):
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
        both = {**(pairs or {}), **more}
        self._call("update", {_key(key): self._encode(value) for key, value in both.items()})

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
        return decode(self._call("setdefault", _key(key), self._encode(default)))

    def increment(self, key: str, n: int = 1) -> int:
        """Add `n` to the whole number of a key, 0 at first; return the new value."""
        return int(self._call("increment", _key(key), number(n)))

    def keys(self) -> list[str]:
        """Return the keys as they are now."""
        return list(self._call("keys"))

    def copy(self) -> dict[str, Any]:
        """Return all of it, as it is at one moment."""
        return {key: decode(value) for key, value in self._call("items").items()}

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


class List(Collection):
    """Values in order, as JSON has them. Each method is one step; what it gives are copies."""

    kind = "list"

    def append(self, value: Any) -> int:
        """Add a value at the end; return how many there are now."""
        return self.extend([value])

    def extend(self, values: Iterable[Any]) -> int:
        """Add values at the end, next to each other; return how many there are now."""
        return int(self._call("extend", [self._encode(value) for value in values]))

    def pop(self, index: int = -1) -> Any:
        """Take an item out and return it: nobody else gets it. `pop(0)` takes the oldest.

        Raises:
            IndexError: If there is none.
        """
        return decode(self._call("pop", index))

    def copy(self) -> list[Any]:
        """Return all of it, as it is at one moment."""
        return [decode(value) for value in self._call("items")]

    def __getitem__(self, index: int) -> Any:
        return decode(self._call("get", index))

    def __setitem__(self, index: int, value: Any) -> None:
        self._call("set", index, self._encode(value))


class RateLimiter(Proxy):
    """So many turns a second for all workers together.

    Turns are given in the order of asking, across pools, and each caller waits for its own in its
    own thread, without holding anything. A turn that its caller does not live to take is lost. The
    rate is kept over time; single turns come as exactly as the operating system wakes a sleeper.

    Args:
        name: Its name, such as that of the target.
        per_second: Turns a second; who says it last has the last word.
        burst: How many may come at once after a pause.

    Raises:
        ValueError: If there would be no turns.
    """

    kind = "rate_limiter"

    def __init__(self, name: str, *, per_second: float, burst: int = 1) -> None:
        if per_second <= 0 or burst < 1:
            raise ValueError("per_second is above 0, and burst at least 1")
        super().__init__(name)
        self._settings = {"per_second": per_second, "burst": burst}

    def acquire(self, n: int = 1, *, timeout: float | None = None) -> bool:
        """Wait for the next turn, or the next `n`.

        Args:
            n: How many turns.
            timeout: The longest wait, in seconds; None for any.

        Returns:
            Whether the turn came. If it would come later than `timeout`, this returns at once and
            no turn is taken.

        Raises:
            ValueError: If `n` is not at least 1.
        """
        if n < 1:
            raise ValueError(f"at least one turn is taken, not {n}")
        is_taken, seconds = self._call("reserve", n, timeout)
        if is_taken and seconds > 0:
            _sleep(seconds)
        return bool(is_taken)

    def pause(self, seconds: float) -> None:
        """Let nobody have a new turn for so long, as when the target answers 429 Retry-After."""
        self._call("pause", max(0.0, float(seconds)))
