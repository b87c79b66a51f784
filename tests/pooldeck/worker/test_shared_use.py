"""Which functions use shared state, as far as their code says so."""

from collections.abc import Callable
from types import FunctionType
from typing import cast

import pytest

import pooldeck
from pooldeck import shared
from pooldeck.worker.risks.shared_use import uses_shared

_hits = shared.counter("hits")


def by_name() -> None:
    shared.counter("n").add()


def by_package() -> None:
    pooldeck.shared.counter("n").add()


def by_import() -> None:
    from pooldeck import shared as state  # noqa: PLC0415 - that is what it shows

    state.counter("n").add()


def by_proxy() -> None:
    _hits.add()


def inside() -> Callable[[], int]:
    return lambda: shared.counter("n").add()


def not_at_all() -> object:
    return pooldeck.task


@pytest.mark.parametrize("function", [by_name, by_package, by_import, by_proxy, inside])
def test_code_that_names_shared_state_uses_it(function: Callable[[], object]) -> None:
    assert uses_shared(cast("FunctionType", function))


def test_other_code_does_not() -> None:
    assert not uses_shared(cast("FunctionType", not_at_all))
