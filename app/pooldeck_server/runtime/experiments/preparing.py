"""Turns the wish for an experiment into a plan and arguments to try, or refuses it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec

from pooldeck.kinds import KINDS
from pooldeck_server.advice.sweeping import usual_sizes
from pooldeck_server.domain.errors import InvalidRequest, PooldeckError, TooLarge
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.measurements.experiment_request import ExperimentRequest, SampleRequest
from pooldeck_server.domain.measurements.experiments import Plan, SampleCall, Sizes

_LATEST: Final = 20
"""How many different arguments of real tasks are tried at most."""

_decode = msgspec.json.Decoder().decode

Latest = Callable[[str, int], Awaitable[Sequence[SampleCall]]]
"""Finds up to so many arguments with which a function has lately succeeded."""


def plan_of(request: ExperimentRequest, cpus: int) -> Plan:
    """Return what is to be tried.

    Raises:
        InvalidRequest: If no size is.
    """
    sizes = usual_sizes(cpus) if request.sizes is None else _given_sizes(request)
    return Plan(sizes, request.seconds, request.warmup, is_adaptive=request.sizes is None)


def _given_sizes(request: ExperimentRequest) -> Sizes:
    wanted = {kind: getattr(request.sizes, kind) for kind in KINDS}
    if not any(wanted.values()):
        slots = " or ".join(kind.many for kind in KINDS.values())
        raise InvalidRequest(f"sizes: name at least one, of {slots}", field="/sizes")
    return {kind: tuple(sorted(set(sizes))) for kind, sizes in wanted.items() if sizes}


async def samples_of(
    request: ExperimentRequest, function: RegisteredFunction, most_bytes: int, latest: Latest
) -> tuple[SampleCall, ...]:
    """Return the arguments that the function is to be tried with.

    Raises:
        BadArguments: If given ones do not fit the function.
        TooLarge: If they are.
        InvalidRequest: If none are given and real ones must not be used, or there are none.
    """
    if request.samples is None:
        return await _real(function, latest)
    return tuple(
        _given(sample, function, most_bytes, f"/samples/{place}")
        for place, sample in enumerate(request.samples)
    )


def _given(
    sample: SampleRequest, function: RegisteredFunction, most_bytes: int, at: str
) -> SampleCall:
    args, kwargs = bytes(sample.args), bytes(sample.kwargs)
    if not args.startswith(b"["):
        raise InvalidRequest("args: expected an array", field=f"{at}/args")
    if not kwargs.startswith(b"{"):
        raise InvalidRequest("kwargs: expected an object", field=f"{at}/kwargs")
    if len(args) + len(kwargs) > most_bytes:
        raise TooLarge(f"the arguments take more than {most_bytes} bytes", field=f"{at}/args")
    function.check(_decode(args), _decode(kwargs))
    return SampleCall(args.decode(), kwargs.decode())


async def _real(function: RegisteredFunction, latest: Latest) -> tuple[SampleCall, ...]:
    spec = function.spec
    if not spec.options.idempotent:
        raise InvalidRequest(
            f"samples: give some; {spec.name} is not declared idempotent, so the arguments of "
            "real tasks are not run again",
            field="/samples",
        )
    if spec.options.sensitive:
        raise InvalidRequest(
            f"samples: give some; {spec.name} has sensitive arguments, so those of real tasks "
            "are not used",
            field="/samples",
        )
    fitting = tuple(each for each in await latest(spec.name, _LATEST) if _fits(each, function))
    if not fitting:
        raise InvalidRequest(
            f"samples: give some; no task of {spec.name} has succeeded with arguments that still "
            "fit it",
            field="/samples",
        )
    return fitting


def _fits(sample: SampleCall, function: RegisteredFunction) -> bool:
    try:
        function.check(_decode(sample.args), _decode(sample.kwargs))
    except PooldeckError:
        return False
    return True


def shown(samples: Sequence[SampleCall], function: RegisteredFunction) -> tuple[SampleCall, ...]:
    return tuple(_redacted(sample, function) for sample in samples)


def _redacted(sample: SampleCall, function: RegisteredFunction) -> SampleCall:
    values: tuple[Any, Any] = _decode(sample.args), _decode(sample.kwargs)
    texts = function.redact(*values)
    return sample if texts is None else SampleCall(*texts)
