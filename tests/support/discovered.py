"""The functions of modules as a worker would find them, in this process."""

from collections.abc import Iterable

from pooldeck.worker.functions.discovery import Function, by_name, functions_of


def discover(modules: Iterable[str]) -> dict[str, Function]:
    """Import modules and return their registered functions by name."""
    loaded = list(modules)
    return by_name(function for module in loaded for function in functions_of(module, loaded))
