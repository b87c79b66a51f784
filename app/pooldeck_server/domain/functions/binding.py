"""Arguments bound to a function's parameters, as a call in Python would bind them.

Nothing here knows JSON Schema: what is found is arity and names. Messages name the parameter and
say what the function takes, since their reader cannot see its code.
"""

from collections.abc import Sequence
from typing import Any

from pooldeck.functions import ParameterKind, ParameterSpec
from pooldeck_server.domain.errors import BadArguments

_BY_POSITION = {ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL_OR_KEYWORD}
_BY_NAME = {ParameterKind.POSITIONAL_OR_KEYWORD, ParameterKind.KEYWORD_ONLY}


class Parameters:
    """The parameters of one function, sorted once so that each call is bound quickly."""

    def __init__(self, specs: Sequence[ParameterSpec]) -> None:
        self._positional = tuple(spec.name for spec in specs if spec.kind in _BY_POSITION)
        self._named = tuple(spec.name for spec in specs if spec.kind in _BY_NAME)
        self._required = frozenset(spec.name for spec in specs if spec.required)
        self._rest = _name_of(specs, ParameterKind.VAR_POSITIONAL)
        self._extras = _name_of(specs, ParameterKind.VAR_KEYWORD)

    def bind(self, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the value of each parameter that was given.

        What `*args` takes is a list under its name; what `**kwargs` takes stands beside the
        parameters, as in the function's JSON Schema.

        Raises:
            BadArguments: If there are too many, too few, an unknown or a doubled one.
        """
        bound: dict[str, Any] = {}
        if args:
            bound.update(zip(self._positional, args, strict=False))
        if len(args) > len(self._positional):
            self._bind_rest(args, bound)
        if kwargs:
            self._bind_names(kwargs, bound)
        if not self._required <= bound.keys():
            raise self._missing(bound)
        return bound

    def owner(self, position: int) -> str | None:
        """Return the name of the parameter that takes the argument at `position`, from 0."""
        return self._positional[position] if position < len(self._positional) else self._rest

    def owner_of(self, name: str) -> str | None:
        """Return the name of the parameter that takes the argument called `name`."""
        return name if name in self._named else self._extras

    def _bind_rest(self, args: Sequence[Any], bound: dict[str, Any]) -> None:
        if self._rest is None:
            most = len(self._positional)
            raise BadArguments(
                f"{len(args)} positional arguments were given, but the function takes at most "
                f"{most}{_listed(self._positional)}"
            )
        bound[self._rest] = list(args[len(self._positional) :])

    def _bind_names(self, kwargs: dict[str, Any], bound: dict[str, Any]) -> None:
        for name, value in kwargs.items():
            if name in self._named:
                if name in bound:
                    raise BadArguments(
                        f"{name}: given twice, by position and by name", argument=name
                    )
                bound[name] = value
            elif self._extras is None:
                raise self._unknown(name)
            elif name not in self._positional:  # def f(a, /, **more) may be given another `a`
                bound[name] = value

    def _unknown(self, name: str) -> BadArguments:
        if name in self._positional:
            detail = f"{name}: can only be given by position, in args"
        else:
            takes = ", ".join(self._named) or "none"
            detail = f"{name}: the function has no such argument; those given by name: {takes}"
        return BadArguments(detail, argument=name)

    def _missing(self, bound: dict[str, Any]) -> BadArguments:
        order = (*self._positional, *self._named)
        missing = [name for name in dict.fromkeys(order) if name in self._required - bound.keys()]
        return BadArguments(f"{', '.join(missing)}: missing", argument=missing[0])


def _name_of(specs: Sequence[ParameterSpec], kind: ParameterKind) -> str | None:
    return next((spec.name for spec in specs if spec.kind is kind), None)


def _listed(names: Sequence[str]) -> str:
    return f" ({', '.join(names)})" if names else ""
