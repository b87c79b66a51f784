"""The catalogue: which functions may be called, in which pool, and whether arguments fit them.

The server knows functions only as the data that its workers report; a catalogue is what they have
reported by one moment, never changed. A newer report makes a newer catalogue.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Self, TypeVar

import msgspec

from pooldeck.functions import FunctionSpec, RunOptions
from pooldeck.kinds import PoolKind
from pooldeck.loaded_code import ModuleFailure
from pooldeck_server.domain.errors import (
    BadArguments,
    FunctionUnavailable,
    InvalidRequest,
    Starting,
    UnknownFunction,
    UnknownPool,
    no_pool,
)
from pooldeck_server.domain.functions.names import alike
from pooldeck_server.domain.functions.placements import (
    AUTO,
    Placement,
    PlacementRule,
    first_placement,
    is_vouched_for,
)
from pooldeck_server.domain.functions.signature import Signature
from pooldeck_server.domain.functions.version import Version, said_of

T = TypeVar("T")

_RETRY_AFTER: Final = 5  # seconds
_SHOWN: Final = 5  # modules that an error names


class RegisteredFunction:
    """A function that a worker reported, with the pool that it runs in.

    `spec` is the newest that was reported. The workers of a pool may have others, or none.
    """

    def __init__(
        self,
        spec: FunctionSpec,
        pool: str | Placement,
        signatures: Mapping[str, Sequence[Signature]],
        obstacles: Mapping[str, str],
    ) -> None:
        """Register a function.

        Args:
            spec: What is known of it.
            pool: Where it runs, or where it was placed.
            signatures: What it takes in each pool, by the code of its workers, the newest first.
            obstacles: Why the workers of a pool cannot run it, of each pool where none can.
        """
        self.spec = spec
        self.placement = pool if isinstance(pool, Placement) else None  # why it runs there
        self.placed_text = self.placement.to_json() if self.placement else None
        self.pool = pool.pool if isinstance(pool, Placement) else pool
        self.run_options = msgspec.convert(spec.options, RunOptions, from_attributes=True)
        self._signatures = signatures
        self._obstacles = obstacles
        self._newest = Signature(spec)

    @property
    def problem(self) -> str | None:
        """Why it cannot be called, in words; None if it can."""
        return self.spec.problem or self.obstacle(self.pool)

    @property
    def defect(self) -> str | None:
        """Why it cannot be called as it is, whichever code workers have; None if it can."""
        missing = None if self.pool in self._signatures else no_pool(self.pool, self._signatures)
        return self.spec.problem or missing

    def obstacle(self, pool: str) -> str | None:
        """Return why the workers of a pool cannot run it, None if any can."""
        if pool not in self._signatures:
            return no_pool(pool, self._signatures)
        return None if self._signatures[pool] else self._obstacles[pool]

    def binds(self, args: list[Any], kwargs: dict[str, Any], pool: str) -> bool:
        """Tell whether arguments fit in number and name what any worker of a pool has loaded."""
        return any(each.binds(args, kwargs) for each in self._signatures.get(pool, ()))

    def check(
        self,
        args: list[Any],
        kwargs: dict[str, Any],
        *,
        pool: str | None = None,
        with_references: bool = False,
    ) -> None:
        """Find out whether the function can be called with these arguments, decoded from JSON.

        They have to fit what any worker of the pool has loaded. Of those `with_references` to
        results that are not known yet, only names are checked. `pool` is where it is to run, its
        own unless given.

        Raises:
            UnknownPool: If there is no such pool.
            InvalidRequest: If the function cannot be called for another reason.
            FunctionUnavailable: If no worker of the pool can run it at present.
            BadArguments: If the arguments do not fit; `argument` names the first that does not.
        """
        complaint = None
        for signature in self._signatures.get(pool or self.pool, ()):
            try:
                return signature.check(args, kwargs, with_references=with_references)
            except BadArguments as error:
                complaint = complaint or error
        if complaint is not None:
            raise complaint
        raise self._refusal(pool or self.pool)

    def redact(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str] | None:
        """Return arguments as JSON texts that people may see; None where none is sensitive."""
        return self._newest.redact(args, kwargs)

    def without_sensitive(
        self, args: Sequence[T], kwargs: Mapping[str, T]
    ) -> tuple[list[T], dict[str, T]] | None:
        """Return arguments but the sensitive ones; None if others can then not be given."""
        return self._newest.without_sensitive(args, kwargs)

    def _refusal(self, pool: str) -> InvalidRequest | UnknownPool | FunctionUnavailable:
        name, problem = self.spec.name, self.spec.problem
        if problem is not None:
            return InvalidRequest(f"{name} cannot be called: {problem}", field="/function")
        obstacle = self.obstacle(pool)
        if pool not in self._signatures:
            return UnknownPool(f"{name} cannot be called: {obstacle}", field="/function")
        return FunctionUnavailable(
            f"{name} cannot be called at present: {obstacle}",
            retry_after=_RETRY_AFTER,
            function=name,
        )


class Catalogue:
    """All functions that are known at one moment; pools are in the order of the settings.

    Those of a module that cannot be loaded any more stay known, and are not to be called. There
    are no `specs` as long as no worker has ever reported: submissions then wait for the server to
    be ready instead of being told that their function does not exist.
    """

    def __init__(
        self,
        kinds: Mapping[str, PoolKind],
        specs: Iterable[FunctionSpec] | None = None,
        placements: Mapping[str, Placement] | None = None,
        versions: Mapping[str, Sequence[Version]] | None = None,
        failures: Mapping[str, Mapping[str, ModuleFailure]] | None = None,
        *,
        gone: Collection[str] = (),
        is_current: bool = True,
    ) -> None:
        """Make it of what is known.

        Args:
            kinds: The kind of each pool.
            specs: The functions, each as the newest report has it; None: nothing is known.
            placements: Where functions are that leave that to the server.
            versions: The code of each pool's workers, the newest first. A pool that is missing has
                everything that is known.
            failures: The modules that cannot be loaded, by name, for each pool that has any.
            gone: The functions that the newest code does not have any more.
            is_current: Whether any worker has reported since the server started.
        """
        self._kinds = dict(kinds)
        self._placements = dict(placements or {})
        self._versions = dict(versions or {})
        self._failures = dict(failures or {})
        self.failures = dict(each for found in self._failures.values() for each in found.items())
        self.is_known = specs is not None
        self._gone = gone
        self._is_current = is_current
        registered = (self._register(spec) for spec in specs or ())
        self._functions = {
            function.spec.name: function
            for function in sorted(registered, key=lambda function: function.spec.name)
        }

    @property
    def empty_modules(self) -> tuple[str, ...]:
        """The modules that workers have loaded and that register no function."""
        newest = [versions[0].code for versions in self._versions.values() if versions]
        loaded = dict.fromkeys(module for code in newest for module in code.modules)
        full = {function.spec.module for function in self._functions.values()} | set(self.failures)
        return tuple(module for module in loaded if module not in full)

    def placed(self, name: str, placement: Placement | None) -> Self:
        """Return a catalogue in which a function is elsewhere; None: where it starts."""
        placements = {key: kept for key, kept in self._placements.items() if key != name}
        if placement is not None:
            placements[name] = placement
        specs = [function.spec for function in self.functions()] if self.is_known else None
        return self._with(specs, placements)

    def with_specs(
        self,
        specs: Iterable[FunctionSpec],
        versions: Mapping[str, Sequence[Version]] | None = None,
        failures: Mapping[str, Mapping[str, ModuleFailure]] | None = None,
        gone: Collection[str] = (),
    ) -> Self:
        """Return a catalogue of what has been reported by now."""
        return type(self)(self._kinds, specs, self._placements, versions, failures, gone=gone)

    def _with(
        self, specs: Iterable[FunctionSpec] | None, placements: Mapping[str, Placement]
    ) -> Self:
        return type(self)(
            self._kinds,
            specs,
            placements,
            self._versions,
            self._failures,
            gone=self._gone,
            is_current=self._is_current,
        )

    def functions(self) -> tuple[RegisteredFunction, ...]:
        return tuple(self._functions.values())

    def has(self, name: str) -> bool:
        """Tell whether there is such a function."""
        return name in self._functions

    def get(self, name: str) -> RegisteredFunction:
        """Return the function called `name`.

        Raises:
            UnknownFunction: If there is none; its detail names the ones that look alike.
        """
        function = self._functions.get(name)
        if function is None:
            raise UnknownFunction(self._not_found(name), function=name)
        return function

    def wanted(self, name: str) -> RegisteredFunction:
        """Return the function called `name`, which somebody wants to call.

        Raises:
            Starting: If it is not known, and no worker has reported yet: it may be new.
            FunctionUnavailable: If it is not known, and its module cannot be loaded.
            UnknownFunction: If there is none.
        """
        function = self._functions.get(name)
        if function is not None:
            return function
        if not self._is_current:
            raise Starting("no worker has reported its functions yet", retry_after=1)
        for module in self.failures:
            if name.startswith(f"{module}."):
                raise FunctionUnavailable(
                    f"{name} is not known: {self._failure(module)}",
                    retry_after=_RETRY_AFTER,
                    function=name,
                )
        raise UnknownFunction(self._not_found(name), function=name)

    def is_vouched_for(self, name: str, pool: str) -> bool:
        """Tell whether measurements may move the function called `name` to a pool."""
        function = self._functions.get(name)
        return function is not None and self._is_vouched_for(function.spec, pool)

    def unvouched(self) -> dict[str, Placement]:
        """Return what measurements have moved to where no word of its owner allows it any more."""
        return {
            name: placement
            for name, placement in self._placements.items()
            if placement.rule is PlacementRule.MEASURED
            and not self.is_vouched_for(name, placement.pool)
        }

    def _is_vouched_for(self, spec: FunctionSpec, pool: str) -> bool:
        return spec.options.pool == AUTO and is_vouched_for(spec, pool, self._kinds)

    def _register(self, spec: FunctionSpec) -> RegisteredFunction:
        pool = spec.options.pool
        return RegisteredFunction(
            spec,
            self._placement(spec) if pool == AUTO else pool,
            {name: self._signatures(spec, name) for name in self._kinds},
            {name: self._obstacle(spec, name) for name in self._kinds},
        )

    def _obstacle(self, spec: FunctionSpec, pool: str) -> str:
        """Return why the workers of a pool cannot run a function, if they cannot."""
        here = self._failures.get(pool, {} if pool in self._versions else self.failures)
        if spec.module in here:
            return self._failure(spec.module)
        if spec.name not in self._gone:
            return f"the workers of pool {pool} have older code, without it: restart that pool"
        words = f"the code that the workers of pool {pool} have loaded is without it"
        if here:
            words += f"; {', '.join(here)} could not be loaded, and may have it"
        return words

    def _signatures(self, spec: FunctionSpec, pool: str) -> tuple[Signature, ...]:
        """Return what a function takes by the code of a pool's workers, the newest first."""
        if spec.problem is not None:
            return ()
        if pool not in self._versions:
            return () if spec.module in self.failures else (Signature(spec),)
        found = (version.signatures.get(spec.name) for version in self._versions[pool])
        return tuple(signature for signature in found if signature is not None)

    def _failure(self, module: str) -> str:
        return f"the module {module} could not be loaded: {said_of(self.failures[module])}"

    def _placement(self, spec: FunctionSpec) -> Placement:
        """Return where a function was moved, if it may still be there, else where it starts."""
        placement = self._placements.get(spec.name)
        if placement is None or placement.pool not in self._kinds:
            return first_placement(spec, self._kinds)
        if placement.rule is PlacementRule.MEASURED and not self._is_vouched_for(
            spec, placement.pool
        ):
            return first_placement(spec, self._kinds)
        return placement

    def _not_found(self, name: str) -> str:
        close = alike(name, self._functions)
        hint = f"; did you mean {' or '.join(close)}?" if close else self._not_loaded(name)
        if self.failures:
            hint += f"; {', '.join(self.failures)} could not be loaded, and may have it"
        return f'no function called "{name[:200]}" is registered{hint}'

    def _not_loaded(self, name: str) -> str:
        """Return what to do if the module of a function was not named; nothing if it was."""
        module = name.rpartition(".")[0]
        loaded = sorted({found.spec.module for found in self._functions.values()})
        if not module or module in loaded or module in self.failures:
            return ""
        shown = ", ".join(loaded[:_SHOWN]) + (", …" if len(loaded) > _SHOWN else "")
        return (
            f"; the server has functions of {shown or 'no module'}: to have those of "
            f"{module[:200]}, name it with --functions where the server is started"
        )
