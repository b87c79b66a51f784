"""Functions whose tasks make life hard for pages: names, messages and depths that few expect."""

import ctypes
import logging
import os
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pooldeck import current_task, shared, task

LONG_NAME: Final = "acme.billing." + "reconcile_every_open_invoice_of_" * 3 + "last_year"
COUNTER: Final = "pages " * 12
LOCK: Final = "the lock of the ledger " * 4
_LONGEST_WAIT: Final = 3600.0  # seconds: more than all tests of these pages take on a busy machine
_DEEP: Final = 60
_UNBROKEN: Final = "0123456789abcdef" * 16


class AnExceptionWhoseNameIsAsLongAsThoseOfGeneratedClientsOftenAreException(Exception):  # noqa: N818 - as some are
    """Is raised by `fail`."""


@dataclass
class Address:
    """Where somebody lives."""

    street: str
    number: int
    since: datetime | None = None


@task(pool="cpu", name=LONG_NAME)
def reconcile(path: str, company: str = "") -> str:
    """Reconcile every open invoice, until the file `path` is there."""
    current_task().progress(0.4, f"reconciling {company} " * 3)
    return _wait_for(Path(path))


@task(pool="io", name="报表.生成月度财务报告")
def report(department: str) -> str:
    """生成月度财务报告。"""
    return f"{department} 的报告已经生成"


@task(pool="io", name="تقارير.إنشاء_التقرير_الشهري")
def report_in_arabic(department: str) -> str:
    """إنشاء التقرير المالي الشهري."""
    return department


@task(pool="io")
def celebrate(path: str, guests: str) -> str:
    """Keep a thread 🎉 until the file `path` is there."""
    return _wait_for(Path(path)) + guests


@task(pool="cpu")
def fail(kind: int, words: str = "") -> None:
    """Fail in one of twelve ways."""
    if kind == 0:
        raise AnExceptionWhoseNameIsAsLongAsThoseOfGeneratedClientsOftenAreException(_UNBROKEN)
    if kind == 1:
        _deeper(_DEEP)
    try:
        _PLACES[words]
    except KeyError as error:
        raise _KINDS[kind % len(_KINDS)](f"{words} {_UNBROKEN}") from error


_PLACES: Final[dict[str, str]] = {}
_KINDS: Final = (ValueError, TypeError, OSError, RuntimeError, LookupError, ArithmeticError)


def _deeper(depth: int) -> None:
    if not depth:
        raise RecursionError("deep down")
    _deeper(depth - 1)


@task(pool="cpu", retries=2, backoff=0.01)
def stumble(words: str) -> None:
    """Fail in each attempt."""
    raise ConnectionError(words)


@task(pool="frail")
def crash() -> None:
    """Write to where nothing is."""
    logging.getLogger("hard").warning("about to write to where nothing is")
    ctypes.string_at(0)


@task(pool="frail")
def leave() -> None:
    """End the worker."""
    os._exit(3)


@task(pool="io")
def speak() -> int:
    """Log on all levels, in long lines."""
    logger = logging.getLogger("hard.module.with.a.name.that.is.longer.than.its.column")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logger.log(level, "%s %s", "一行日志" * 30, _UNBROKEN)
    print("\x1b[31mred\x1b[0m", _UNBROKEN * 3)  # noqa: T201
    return 1


@task(pool="io")
def share(path: str) -> None:
    """Keep a lock until the file `path` is there."""
    shared.counter(COUNTER).add(12345)
    with shared.lock(LOCK):
        _wait_for(Path(path))


@task(pool="io", sensitive=("secret",))
def order(  # noqa: PLR0917 - many fields are what it is for
    customer: str,
    address: Address,
    secret: str,
    due: datetime,
    amounts: list[float],
    express: bool = False,
    remark: str = "none",
) -> str:
    """Order something.

    Args:
        customer: Who orders.
    """
    return f"{customer} {address} {len(secret)} {due} {amounts} {express} {remark}"


@task(pool="cpu")
def wait(path: str) -> str:
    """Wait for the file `path`."""
    return _wait_for(Path(path))


@task(pool="waits-until-somebody-has-time-it")
def patient(number: int) -> int:
    """Return what it is given."""
    return number


@task(pool="nowhere")
def stranded() -> None:
    """Name a pool that does not exist."""


def _wait_for(path: Path) -> str:
    end = time.monotonic() + _LONGEST_WAIT
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.02)
    return "found"
