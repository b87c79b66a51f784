"""Conversion of arguments from JSON values to the types of a function's annotations."""

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from pooldeck.text import shown
from pooldeck.worker.failures import Misfit
from pooldeck.worker.functions.call_signatures import Taken
from pooldeck.worker.values import type_hints
from pooldeck.worker.values.type_table import convert

_BY_POSITION = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}


class BadArgument(Misfit):
    """An argument that does not fit its annotation."""


class Conversion:
    """Converts the arguments of one function; plain JSON types pass through untouched."""

    def __init__(
        self, taken: Taken, types: Mapping[str, Any], sensitive: Collection[str] = ()
    ) -> None:
        """Prepare it.

        Args:
            taken: What the function takes. Where that is open, what does not fit passes as it is.
            types: Those of its parameters, by name.
            sensitive: The names of those that no complaint may repeat.
        """
        signature = taken.signature
        parameters = signature.parameters.values()
        own = [p.name for p in parameters if p.kind in _BY_POSITION]
        self._positional = list(taken.order) if taken.is_open else own
        self._is_open = taken.is_open
        self._rest = _name_of(signature, inspect.Parameter.VAR_POSITIONAL)
        self._extra = _name_of(signature, inspect.Parameter.VAR_KEYWORD)
        self._known = frozenset(types) - {self._rest, self._extra}
        self._rich = {name: hint for name, hint in types.items() if not type_hints.is_plain(hint)}
        self._sensitive = frozenset(sensitive)

    @property
    def needed(self) -> bool:
        return bool(self._rich)

    def __call__(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments, converted; a `BadArgument` names the one that does not fit."""
        return (
            [self._convert(self._at(index), value) for index, value in enumerate(args)],
            {name: self._convert(self._named(name), value, name) for name, value in kwargs.items()},
        )

    def _at(self, index: int) -> str | None:
        return self._positional[index] if index < len(self._positional) else self._rest

    def _named(self, name: str) -> str | None:
        return name if name in self._known else self._extra

    def _convert(self, parameter: str | None, value: Any, given: str | None = None) -> Any:
        if parameter not in self._rich:
            return value
        try:
            return convert(value, self._rich[parameter])
        except BaseException as error:  # noqa: BLE001 - constructors are the user's code
            if self._is_open:
                return value
            name = given or parameter
            reason = "it does not fit its type" if name in self._sensitive else shown(error)
            raise BadArgument(type(error).__name__, f"{name}: {reason}") from None


def _name_of(signature: inspect.Signature, kind: Any) -> str | None:
    return next((p.name for p in signature.parameters.values() if p.kind is kind), None)
