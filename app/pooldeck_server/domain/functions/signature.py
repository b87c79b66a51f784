"""A function as one version of the user's code has it: which arguments it takes."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from pooldeck.functions import FunctionSpec
from pooldeck_server.domain.errors import BadArguments
from pooldeck_server.domain.functions.binding import Parameters
from pooldeck_server.domain.tasks.references import refers

if TYPE_CHECKING:  # the library is large, and loaded with the first arguments that come
    import jsonschema_rs

REDACTED: Final = "[redacted]"
T = TypeVar("T")

_decode = msgspec.json.Decoder().decode


class Signature:
    """The parameters of one version of a function."""

    def __init__(self, spec: FunctionSpec) -> None:
        self.spec = spec
        self._parameters = Parameters(spec.parameters)
        self._sensitive = frozenset(spec.options.sensitive)

    def check(
        self, args: list[Any], kwargs: dict[str, Any], *, with_references: bool = False
    ) -> None:
        """Find out whether the arguments, decoded from JSON, fit in number, name and type.

        Of those `with_references` to results that are not known yet, only names are checked.

        Raises:
            BadArguments: If they do not; `argument` names the first that does not.
        """
        values = self._parameters.bind(args, kwargs)
        if not self._validator.is_valid(values):
            self._complain(values, with_references=with_references)

    def takes(self, args: str, kwargs: str) -> bool:
        """Tell whether arguments, as JSON texts, fit in number, name and type."""
        try:
            values = self._parameters.bind(_decode(args), _decode(kwargs))
        except BadArguments:
            return False
        return self._validator.is_valid(values)

    def binds(self, args: list[Any], kwargs: dict[str, Any]) -> bool:
        """Tell whether arguments, decoded from JSON, fit in number and name."""
        try:
            self._parameters.bind(args, kwargs)
        except BadArguments:
            return False
        return True

    def redact(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str] | None:
        """Return arguments as JSON texts that people may see; None where none is sensitive."""
        if not self._sensitive:
            return None
        owner, owner_of = self._parameters.owner, self._parameters.owner_of
        shown = [
            REDACTED if owner(position) in self._sensitive else value
            for position, value in enumerate(args)
        ]
        named = {
            name: REDACTED if owner_of(name) in self._sensitive else value
            for name, value in kwargs.items()
        }
        return _text(shown), _text(named)

    def without_sensitive(
        self, args: Sequence[T], kwargs: Mapping[str, T]
    ) -> tuple[list[T], dict[str, T]] | None:
        """Return arguments but the sensitive ones; None if others can then not be given any more.

        What stood behind a sensitive one is given by name instead.
        """
        owner, owner_of = self._parameters.owner, self._parameters.owner_of
        given = [(owner(position), value) for position, value in enumerate(args)]
        first = next((at for at, (name, _) in enumerate(given) if name in self._sensitive), None)
        if first is None:
            first = len(given)
        moved = {str(name): each for name, each in given[first:] if name not in self._sensitive}
        if any(owner_of(name) != name for name in moved):
            return None
        named = {
            name: value
            for name, value in kwargs.items()
            if self._sensitive.isdisjoint({name, owner_of(name)})
        }
        return list(args[:first]), moved | named

    @cached_property
    def _validator(self) -> "jsonschema_rs.Validator":
        from pooldeck_server.domain.functions.validators import validator_for  # noqa: PLC0415

        return validator_for(self.spec.schema)

    def _complain(self, values: dict[str, Any], *, with_references: bool) -> None:
        from pooldeck_server.domain.functions.explain import explain  # noqa: PLC0415

        open_ = {name for name, value in values.items() if with_references and refers(value)}
        found = self._validator.iter_errors(values)
        error = next((each for each in found if open_.isdisjoint(each.instance_path[:1])), None)
        if error is None:
            return
        name = str(error.instance_path[0]) if error.instance_path else ""
        owners = {name, self._parameters.owner_of(name)}
        hidden = not name or not owners.isdisjoint(self._sensitive)
        raise BadArguments(explain(error, hidden=hidden), argument=name or None)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
