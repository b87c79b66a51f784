"""What a function takes in truth, whatever stands around it."""

import functools
import math
from collections.abc import Callable
from datetime import date
from types import MethodType
from typing import Any

import pydantic
import pytest

from pooldeck.worker.functions.call_signatures import shown, taken
from pooldeck.worker.functions.conversion import Conversion
from pooldeck.worker.risks.sources import Sources

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def charge(database: object, number: int, *, tenant: str = "acme") -> str:
    return f"{number} by {database} of {tenant}"


def takes(call: Any) -> str:
    return shown(taken(call, Sources()).signature)


def handing(*extra: Any, **named: Any) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*extra, *args, **named, **kwargs)

        return wrapper

    return decorate


def connected(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        connection = object()
        return function(connection, *args, **kwargs)

    return wrapper


def repeated(times: int) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*positional: Any, **named: Any) -> Any:
            for _ in range(times):
                try:
                    return function(*positional, **named)
                except OSError:
                    continue
            return function(*positional, **named)

        return wrapper

    return decorate


def run_by(runner: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return runner(function, *args, **kwargs)

    return wrapper


def with_dry_run(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, dry_run: bool = False, **kwargs: Any) -> Any:
        return "dry" if dry_run else function(*args, **kwargs)

    return wrapper


def by_position_only(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


def named_itself(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(number: int) -> Any:
        return function("here", number)

    return wrapper


class Counted:
    """A decorator that is a class."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.calls = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self.function(self.calls, *args, **kwargs)


class Shop:
    def sell(self, number: int) -> int:
        return number

    @classmethod
    def open(cls, where: str) -> str:
        return where

    def __call__(self, price: float) -> float:
        return price


@pytest.mark.parametrize(
    ("call", "signature"),
    [
        (handing()(charge), "(database: object, number: int, *, tenant: str = 'acme') -> str"),
        (handing("db")(charge), "(number: int, *, tenant: str = 'acme') -> str"),
        (handing(tenant="x")(charge), "(database: object, number: int) -> str"),
        (handing(number=1)(charge), "(database: object, *, tenant: str = 'acme') -> str"),
        (connected(charge), "(number: int, *, tenant: str = 'acme') -> str"),
        (handing(1)(connected(charge)), "(*, tenant: str = 'acme') -> str"),
        (repeated(3)(connected(charge)), "(number: int, *, tenant: str = 'acme') -> str"),
        (run_by(map, connected(charge)), "(number: int, *, tenant: str = 'acme') -> str"),
        (Counted(charge), "(number: int, *, tenant: str = 'acme') -> str"),
        (by_position_only(charge), "(database: object, number: int, /) -> str"),
        (named_itself(charge), "(number: int) -> str"),
        (functools.lru_cache(connected(charge)), "(number: int, *, tenant: str = 'acme') -> str"),
        (functools.partial(charge, "db"), "(number: int, *, tenant: str = 'acme') -> str"),
        (functools.partial(connected(charge), 1), "(*, tenant: str = 'acme') -> str"),
        (Shop().sell, "(number: int) -> int"),
        (Shop.open, "(where: str) -> str"),
        (Shop(), "(price: float) -> float"),
        (math.sqrt, "(x, /)"),
        (
            pydantic.validate_call(charge),
            "(database: object, number: int, *, tenant: str = 'acme') -> str",
        ),
    ],
)
def test_what_is_handed_in_is_not_asked_for(call: Any, signature: str) -> None:
    assert takes(call) == signature


class Proxy:
    """What wrapt makes of a function: it looks like what it wraps."""

    __slots__ = ("__wrapped__", "_self_wrapper")

    def __init__(self, wrapped: Callable[..., Any], wrapper: Callable[..., Any]) -> None:
        self.__wrapped__ = wrapped
        self._self_wrapper = wrapper

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._self_wrapper(self.__wrapped__, None, args, kwargs)


def adapting(wrapped: Callable[..., Any], _instance: object, args: Any, kwargs: Any) -> Any:
    return wrapped(*args, **kwargs)


def adding(wrapped: Callable[..., Any], _instance: object, args: Any, kwargs: Any) -> Any:
    return wrapped("db", *args, **kwargs)


def setting(wrapped: Callable[..., Any], _instance: object, args: Any, kwargs: Any) -> Any:
    kwargs["database"] = "db"
    return wrapped(*args, **kwargs)


def test_decorators_of_wrapt_are_seen_through_as_well() -> None:
    everything = "(database: object, number: int, *, tenant: str = 'acme') -> str"
    assert takes(Proxy(charge, adapting)) == everything
    assert takes(Proxy(charge, adding)) == "(number: int, *, tenant: str = 'acme') -> str"
    assert taken(Proxy(charge, setting), Sources()).is_open


def test_what_a_wrapper_may_leave_out_of_its_call_may_be_left_out() -> None:
    assert takes(with_dry_run(charge)) == (
        "(database: object = ..., number: int = ..., *, tenant: str = 'acme', dry_run=False) -> str"
    )


def preparing(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("database", "db")
        return function(*args, **kwargs)

    return wrapper


def replacing(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        args = ("db", *args)
        return function(*args, **kwargs)

    return wrapper


def choosing(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args[1:], **kwargs)

    return wrapper


def by_a_helper(function: Callable[..., Any]) -> Callable[..., Any]:
    def helper(*args: Any, **kwargs: Any) -> Any:
        return function("db", *args, **kwargs)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return helper(*args, **kwargs)

    return wrapper


def by_a_partial(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = functools.partial(function, "db")
        return call(*args, **kwargs)

    return wrapper


def by_a_method(function: Callable[..., Any]) -> Callable[..., Any]:
    method = MethodType(function, "db")

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return method(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    "decorator", [preparing, replacing, choosing, by_a_helper, by_a_partial, by_a_method]
)
def test_where_nobody_can_know_everything_may_be_given(decorator: Decorator) -> None:
    found = taken(decorator(charge), Sources())
    assert found.is_open
    assert found.order == ("database", "number")
    assert shown(found.signature) == (
        "(*args, database: object = ..., number: int = ..., tenant: str = 'acme', **kwargs) -> str"
    )


def test_signatures_are_shown_without_quotes_around_annotations() -> None:
    def later(number: "int", names: "list[str]" = []) -> "dict[str, int]": ...  # type: ignore[empty-body]  # noqa: B006

    assert takes(later) == "(number: int, names: list[str] = []) -> dict[str, int]"


def on(day: date, count: int) -> None: ...


def test_what_may_be_a_date_is_made_one_and_else_passed_as_it_is() -> None:
    found = taken(preparing(on), Sources())
    convert = Conversion(found, {"day": date, "count": int}, ())
    assert convert(["2026-01-02", 3], {}) == ([date(2026, 1, 2), 3], {})
    assert convert(["today"], {"day": "2026-01-02"}) == (["today"], {"day": date(2026, 1, 2)})
