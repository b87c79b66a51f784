"""Functions as the API shows them."""

from typing import Annotated, Any, Self

from msgspec import Meta, Raw, Struct

from pooldeck.functions import Options, ParameterKind
from pooldeck.loaded_code import ModuleFailure
from pooldeck_server.advice import Advice
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.measurements.figures import FunctionFigures
from pooldeck_server.domain.pools.controls import Hold, HoldKind
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.api.schemas.advice import AdviceSummary
from pooldeck_server.web.api.schemas.placements import Placed
from pooldeck_server.web.api.schemas.types import Seconds, Timestamp, raw, shown, timestamp


class Statistics(Struct, frozen=True):
    """What became of a function's tasks.

    `counts` are all tasks that are kept, by state; `ended` those that ended within the last
    `window` seconds, whose mean wait and run are given.
    """

    window: Seconds
    counts: dict[State, int]
    ended: dict[State, int]
    mean_wait: Seconds | None
    mean_run: Seconds | None

    @classmethod
    def of(cls, figures: FunctionFigures, window: float) -> Self:
        number = sum(figures.ended.values())
        return cls(
            window=window,
            counts=figures.counts,
            ended=figures.ended,
            mean_wait=figures.wait_seconds / number if number else None,
            mean_run=figures.run_seconds / number if number else None,
        )


class Parameter(Struct, frozen=True):
    """A parameter of a function; `default` is null where there is none, or none in JSON."""

    name: str
    kind: ParameterKind
    required: bool
    default: Raw | None


class FunctionHold(Struct, frozen=True):
    """Why a function's tasks wait: after crashes, put on hold by hand, or paused.

    New ones are refused, but of a paused function. `deaths` workers died under it. `reason` says
    what happened, or why somebody did it (empty if they did not say); `by` is who that was.
    """

    since: Timestamp
    deaths: int
    reason: str
    kind: HoldKind
    by: str | None


class Function(Struct, frozen=True):
    """A function that can be called, unless `problem` says why not; `pool` is where it runs.

    `placement` says why it runs there, null where it names its pool itself. `advice` is null where
    that pool does not exist.
    """

    name: str
    module: str
    signature: str
    doc: str
    pool: str
    placement: Placed | None
    problem: str | None
    hold: FunctionHold | None
    is_async: bool
    options: Options
    parameters: list[Parameter]
    schema: Annotated[dict[str, Any], Meta(description="JSON Schema of the arguments by name.")]
    statistics: Statistics
    advice: AdviceSummary | None

    @classmethod
    def of(
        cls,
        function: RegisteredFunction,
        statistics: Statistics,
        hold: Hold | None,
        given: Advice | None,
    ) -> Self:
        spec = function.spec
        return shown(
            cls,
            spec,
            pool=function.pool,
            placement=Placed.of(function.placement) if function.placement else None,
            problem=function.problem,
            hold=shown(FunctionHold, hold, since=timestamp(hold.since)) if hold else None,
            parameters=[
                Parameter(each.name, each.kind, each.required, raw(each.default))
                for each in spec.parameters
            ],
            statistics=statistics,
            advice=given,
        )


class FailedModule(Struct, frozen=True):
    """A module of functions that could not be loaded when a worker last tried.

    `output` is the last of what it wrote meanwhile.
    """

    module: str
    type: str
    message: str
    traceback: str | None
    output: str

    @classmethod
    def of(cls, failure: ModuleFailure) -> Self:
        return shown(cls, failure.error, module=failure.module, output=failure.output)


class FunctionList(Struct, frozen=True):
    """All registered functions, by name, and the modules that could not be loaded.

    `empty_modules` were loaded, and register no function.
    """

    items: list[Function]
    failed_modules: list[FailedModule]
    empty_modules: tuple[str, ...]
