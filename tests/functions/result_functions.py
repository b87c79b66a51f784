"""Results of data work: what goes out, what is refused, and what is said of it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pooldeck import register_type, task


class Money:
    """A class that only this module knows."""

    def __init__(self, cents: int) -> None:
        self.cents = cents


register_type(
    Money,
    encode=lambda money: f"{money.cents} ct",
    decode=lambda text: Money(int(text.removesuffix(" ct"))),
    schema={"type": "string", "pattern": r"^\d+ ct$"},
)


@dataclass
class Hostile:
    """What cannot be shown."""

    value: Any = None

    def __repr__(self) -> str:
        raise SystemExit


def _sum() -> object:
    import numpy  # noqa: PLC0415, ICN001 - few tests need it

    return numpy.array([12, 7, 30]).sum()


_VALUES: dict[str, Callable[[], object]] = {
    "sum": _sum,
    "dates": lambda: {date(2026, 11, 1): 12},
    "span": lambda: timedelta(seconds=90),
    "bytes": lambda: b"hello",
    "queue": lambda: deque([1, 2]),
    "money": lambda: [Money(3)],
    "gap": lambda: [{"growth": 0.04}, {"growth": float("nan")}],
    "pairs": lambda: {("north", "2026-11"): 12},
    "much": lambda: [{"row": row, "text": "x" * 100} for row in range(100_000)],
    "lazy": lambda: {"rows": (row for row in range(3))},
    "hostile": lambda: Hostile(float("nan")),
}


@task(pool="cpu", retries=1)
def give(name: str) -> object:
    """Return a value of that name."""
    return _VALUES[name]()


@task(pool="cpu", sensitive=("pin",))
def give_secretly(pin: str) -> object:
    """Return something that is no JSON, made of what is secret."""
    return {("pin", pin): 1}


@task(pool="cpu")
def doubled(money: Money) -> Money:
    return Money(2 * money.cents)


@task(pool="cpu")
def stock() -> dict:  # type: ignore[type-arg]  # bare, as many write it
    return {7: 3}


@task(pool="cpu")
def left(stock: dict) -> int | None:  # type: ignore[type-arg]  # as above
    """Ask for a key that is text by now."""
    found: int | None = stock.get(7)
    return found


@task(pool="cpu")
def really_left(stock: dict[int, int]) -> int | None:
    return stock.get(7)


@task(pool="cpu")
def twins() -> dict:  # type: ignore[type-arg]  # as above
    return {1: "a", "1": "b"}


@task(pool="cpu")
def misnamed(value: Any) -> list[str]:
    """Return whatever is given."""
    found: list[str] = value
    return found
