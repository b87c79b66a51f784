"""Functions behind decorators that hand an argument in, or take one."""

import functools
from collections.abc import Callable
from datetime import date
from typing import Any

from pooldeck import task

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _with(*extra: Any, **named: Any) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, dry_run: bool = False, **kwargs: Any) -> Any:
            return "dry" if dry_run else function(*extra, *args, **named, **kwargs)

        return wrapper

    return decorate


def _prepared(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        kwargs["database"] = "a prepared one"
        return function(*args, **kwargs)

    return wrapper


@task(pool="io")
@_with("a database")
def send(database: object, number: int) -> str:
    return f"{number} by {database}"


@task(pool="io")
@_with(tenant="acme")
def archive(number: int, tenant: str) -> str:
    return f"{number} of {tenant}"


@task(pool="io")
@_with()
def wipe(number: int) -> str:
    return f"wiped {number}"


@task(pool="io", sensitive=("token",))
@_prepared
def post(day: date, database: object, token: str = "") -> str:
    return f"{day:%d.%m.%Y} by {database}{'!' if token else ''}"
