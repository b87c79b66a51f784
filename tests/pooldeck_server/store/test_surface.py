"""What the store offers: each read and each write has a user."""

import re
from inspect import isfunction
from pathlib import Path
from types import ModuleType

import pytest

import pooldeck_server
from pooldeck_server.store import queries, records

_SOURCES = [
    path.read_text()
    for path in Path(pooldeck_server.__path__[0]).rglob("*.py")
    if path.name != "__init__.py"
]


def functions_of(package: ModuleType) -> list[str]:
    return [name for name, value in vars(package).items() if isfunction(value)]


@pytest.mark.parametrize("package", [queries, records])
def test_no_function_is_offered_that_nothing_uses(package: ModuleType) -> None:
    prefix = package.__name__.rpartition(".")[2]
    imported = re.compile(rf"^from {re.escape(package.__name__)}\.\w+ import (.*)$", re.MULTILINE)
    inside = {
        name.strip()
        for source in _SOURCES
        for names in imported.findall(source)
        for name in names.split(",")
    }
    used = {name for source in _SOURCES for name in re.findall(rf"\b{prefix}\.(\w+)", source)}

    assert set(functions_of(package)) - used - inside == set()


@pytest.mark.parametrize("package", [queries, records])
def test_what_is_offered_takes_a_connection_or_a_transaction_first(package: ModuleType) -> None:
    wanted = "connection" if package is queries else "transaction"
    firsts = {name: vars(package)[name].__code__.co_varnames[0] for name in functions_of(package)}

    assert {name: first for name, first in firsts.items() if first != wanted} == {}
