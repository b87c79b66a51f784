"""The catalogue: which functions may be called, and whether arguments fit them.

The server knows functions only as the data that its workers report; a catalogue is one such report,
never changed. A newer report makes a newer catalogue.
"""

import difflib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Self

import jsonschema_rs
import msgspec

from pooldeck.functions import FunctionSpec, RunOptions
from pooldeck.kinds import PoolKind
from pooldeck_server.domain.errors import (
    BadArguments,
    InvalidRequest,
    PooldeckError,
    UnknownFunction,
    UnknownPool,
    no_pool,
)
from pooldeck_server.domain.functions.binding import Parameters
from pooldeck_server.domain.functions.explain import explain
from pooldeck_server.domain.functions.placements import AUTO, Placement, first_placement
from pooldeck_server.domain.tasks.references import refers

REDACTED = "[redacted]"


class RegisteredFunction:
    """A function that a worker reported, with the pool that it runs in."""

    def __init__(
        self, spec: FunctionSpec, pool: str | Placement, problem: str | None = None
    ) -> None:
        self.spec = spec
        self.placement = pool if isinstance(pool, Placement) else None  # why it runs there
        self.placed_text = self.placement.to_json() if self.placement else None
        self.pool = pool.pool if isinstance(pool, Placement) else pool
        self.problem = problem  # why it cannot be called, in words
        self._parameters = Parameters(spec.parameters)
        self._sensitive = frozenset(spec.options.sensitive)
        self.run_options = msgspec.convert(spec.options, RunOptions, from_attributes=True)

    def check(
        self, args: list[Any], kwargs: dict[str, Any], *, with_references: bool = False
    ) -> None:
        """Find out whether the function can be called with these arguments, decoded from JSON.

        Of those `with_references` to results that are not known yet, only names are checked.

        Raises:
            UnknownPool: If the function names a pool that does not exist.
            InvalidRequest: If the function cannot be called for another reason.
            BadArguments: If the arguments do not fit; `argument` names the first that does not.
        """
        if self.problem is not None:
            self._refuse(self.problem)
        values = self._parameters.bind(args, kwargs)
        if not self._validator.is_valid(values):
            self._complain(values, with_references=with_references)

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

    @cached_property
    def _validator(self) -> jsonschema_rs.Validator:
        return jsonschema_rs.validator_for(self.spec.schema, offline=True)

    def _refuse(self, problem: str) -> None:
        error: type[PooldeckError] = InvalidRequest
        if self.spec.problem is None:  # what a catalogue itself finds is an unknown pool
            error = UnknownPool
        raise error(f"{self.spec.name} cannot be called: {problem}", field="/function")

    def _complain(self, values: dict[str, Any], *, with_references: bool) -> None:
        open_ = {name for name, value in values.items() if with_references and refers(value)}
        found = self._validator.iter_errors(values)
        error = next((each for each in found if open_.isdisjoint(each.instance_path[:1])), None)
        if error is None:
            return
        name = str(error.instance_path[0]) if error.instance_path else ""
        owners = {name, self._parameters.owner_of(name)}
        hidden = not name or not owners.isdisjoint(self._sensitive)
        raise BadArguments(explain(error, hidden=hidden), argument=name or None)


class Catalogue:
    """All registered functions, as of one report; pools are in the order of the settings.

    There are no specs as long as no worker has ever reported: submissions then wait for the server
    to be ready instead of being told that their function does not exist.
    """

    def __init__(
        self,
        kinds: Mapping[str, PoolKind],
        specs: Iterable[FunctionSpec] | None = None,
        placements: Mapping[str, Placement] | None = None,
    ) -> None:
        self._kinds = dict(kinds)
        self._placements = dict(placements or {})
        self.is_known = specs is not None
        registered = (self._register(spec) for spec in specs or ())
        self._functions = {
            function.spec.name: function
            for function in sorted(registered, key=lambda function: function.spec.name)
        }

    def with_specs(self, specs: Iterable[FunctionSpec]) -> Self:
        return type(self)(self._kinds, specs, self._placements)

    def placed(self, name: str, placement: Placement | None) -> Self:
        """Return a catalogue in which a function is elsewhere; None: where it starts."""
        placements = {key: kept for key, kept in self._placements.items() if key != name}
        if placement is not None:
            placements[name] = placement
        specs = [function.spec for function in self.functions()] if self.is_known else None
        return type(self)(self._kinds, specs, placements)

    def functions(self) -> tuple[RegisteredFunction, ...]:
        return tuple(self._functions.values())

    def get(self, name: str) -> RegisteredFunction:
        """Return the function called `name`.

        Raises:
            UnknownFunction: If there is none; its detail names the ones that look alike.
        """
        function = self._functions.get(name)
        if function is None:
            raise UnknownFunction(self._not_found(name), function=name)
        return function

    def _register(self, spec: FunctionSpec) -> RegisteredFunction:
        if spec.options.pool == AUTO:
            return RegisteredFunction(spec, self._placement(spec), spec.problem)
        problem = spec.problem
        if problem is None and spec.options.pool not in self._kinds:
            problem = no_pool(spec.options.pool, self._kinds)
        return RegisteredFunction(spec, spec.options.pool, problem)

    def _placement(self, spec: FunctionSpec) -> Placement:
        """Return where a function was placed, if there still is that pool, else where it starts."""
        placement = self._placements.get(spec.name)
        if placement is not None and placement.pool in self._kinds:
            return placement
        return first_placement(spec, self._kinds)

    def _not_found(self, name: str) -> str:
        close = difflib.get_close_matches(name, self._functions, n=3, cutoff=0.75)
        close += [known for known in self._functions if known.endswith(f".{name}")][:3]
        hint = f"; did you mean {' or '.join(dict.fromkeys(close))}?" if close else ""
        return f'no function called "{name[:200]}" is registered{hint}'


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
