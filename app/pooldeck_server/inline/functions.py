"""What the double can call: found in the modules as a worker finds it."""

import sys
from collections.abc import Iterable
from typing import Final

from pooldeck.kinds import PoolKind
from pooldeck.worker.functions.discovery import Function, by_name, functions_of
from pooldeck_server.domain.functions.catalogue import Catalogue, RegisteredFunction

_POOLS: Final = {"io": PoolKind.THREAD, "cpu": PoolKind.PROCESS}


class InlineFunctions:
    """The functions of some modules; without any, those of whatever is imported."""

    def __init__(self, modules: Iterable[str], pools: Iterable[str] = ()) -> None:
        """Prepare it.

        Args:
            modules: Their names; none: whoever is asked for is looked up where it says it is from.
            pools: Names of pools that there are, beside the usual two.
        """
        self._modules = list(modules)
        self._is_open = not self._modules
        self._pools = dict.fromkeys(pools, PoolKind.PROCESS) | _POOLS
        self._functions: dict[str, Function] = {}
        self._load(self._modules)

    def wanted(self, name: str) -> tuple[RegisteredFunction, Function]:
        """Return a function as the server's catalogue has it, and as a worker does.

        Raises:
            UnknownFunction: If there is none of that name.
        """
        if self._is_open and name not in self._functions:
            self._load(_homes(name))
        return self._catalogue.wanted(name), self._functions[name]

    def _load(self, modules: Iterable[str]) -> None:
        found = [each for module in modules for each in functions_of(module, self._modules)]
        self._functions = dict(by_name([*self._functions.values(), *found]))
        pools = {each.spec.options.pool: PoolKind.PROCESS for each in self._functions.values()}
        kinds = pools | self._pools if self._is_open else self._pools
        specs = [each.spec for each in self._functions.values()]
        self._catalogue = Catalogue({n: k for n, k in kinds.items() if n != "auto"}, specs)


def _homes(name: str) -> list[str]:
    """Return the module that is imported and may hold a function of that name."""
    module = name
    while module := module.rpartition(".")[0]:
        if module in sys.modules:
            return [module]
    return []
