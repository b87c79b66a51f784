"""What a callable takes in truth: through decorators, partial functions and methods.

`inspect.signature` believes `functools.wraps`: it shows what the wrapped function takes, even where
a wrapper hands an argument in, or takes one of its own.
"""

import functools
import inspect
from collections.abc import Iterable, Iterator
from inspect import Parameter, Signature
from types import FunctionType
from typing import Any, Final, NamedTuple

from pooldeck.worker.functions.handed_in import Handed, handed_in
from pooldeck.worker.risks.sources import Sources


class _NotKnown:
    """The default of what may be left out, as far as anybody can know; stubs write it so."""

    def __repr__(self) -> str:
        return "..."


NOT_KNOWN: Final = _NotKnown()

_BY_POSITION: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_VARIABLE: Final = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
_ANY: Final = Signature(
    [Parameter("args", Parameter.VAR_POSITIONAL), Parameter("kwargs", Parameter.VAR_KEYWORD)]
)


class Taken(NamedTuple):
    """What a callable takes. Where nobody can know it is open: anything may be given.

    `order` are the names that arguments given by position to an open one most likely have.
    """

    signature: Signature
    is_open: bool = False
    order: tuple[str, ...] = ()


def taken(call: Any, sources: Sources) -> Taken:
    """Return what a callable takes; it never fails, since some callables do not say."""
    try:
        return _taken(call, sources)
    except (ValueError, TypeError):
        return Taken(_ANY, is_open=True)


def _taken(call: Any, sources: Sources) -> Taken:
    if isinstance(call, functools.partial):
        return _of_partial(call, _taken(call.func, sources))
    if inspect.ismethod(call):
        inner = _taken(call.__func__, sources)
        return inner if inner.is_open else Taken(_without(inner.signature, 1))
    if isinstance(adapter := _adapter(call), FunctionType):
        return _adapted(call.__wrapped__, adapter, sources)
    wrapped = getattr(call, "__dict__", {}).get("__wrapped__")
    return Taken(inspect.signature(call)) if wrapped is None else _wrapped(call, wrapped, sources)


def _adapter(call: Any) -> Any:
    """Return what wrapt calls in place of what it wraps, None where it has no part in this."""
    try:
        return object.__getattribute__(call, "_self_wrapper")  # no `__getattr__` is asked
    except AttributeError:
        return None


def _adapted(wrapped: Any, adapter: FunctionType, sources: Sources) -> Taken:
    inner = _taken(wrapped, sources)
    handed = handed_in(adapter, wrapped, None, sources, is_adapter=True)
    return _beneath(_ANY, inner, handed)


def _wrapped(call: Any, wrapped: Any, sources: Sources) -> Taken:
    """Return what a callable takes that `functools.wraps` or its like was used for."""
    is_function = isinstance(call, FunctionType)
    wrapper = call if is_function else inspect.getattr_static(type(call), "__call__", None)
    inner = _taken(wrapped, sources)
    if not isinstance(wrapper, FunctionType):  # it is written in C, as `lru_cache`: trust its word
        return inner
    own = inspect.signature(call, follow_wrapped=False)
    if not any(each.kind in _VARIABLE for each in own.parameters.values()):
        return Taken(own)
    handed = handed_in(wrapper, wrapped, None if is_function else call, sources)
    return _beneath(own, inner, handed)


def _beneath(own: Signature, inner: Taken, handed: Handed | None) -> Taken:
    """Return what is taken by a wrapper, which hands something in, and by what it wraps."""
    if handed is None or inner.is_open:
        return _open(own, inner)
    try:
        return Taken(_joined(own, inner.signature, handed))
    except ValueError:  # as where a parameter without default would follow one that has one
        return _open(own, inner)


def _of_partial(call: "functools.partial[Any]", inner: Taken) -> Taken:
    if inner.is_open:
        return inner
    rest = list(_without(inner.signature, len(call.args)).parameters.values())
    return Taken(inner.signature.replace(parameters=list(_preset(rest, call.keywords))))


def _preset(parameters: Iterable[Parameter], values: dict[str, Any]) -> Iterator[Parameter]:
    """Yield parameters of which some have a value already: what follows these goes by name."""
    by_name = False
    for each in parameters:
        by_name = by_name or (each.kind in _BY_POSITION and each.name in values)
        kind = Parameter.KEYWORD_ONLY if by_name and each.kind in _BY_POSITION else each.kind
        if not (by_name and each.kind is Parameter.VAR_POSITIONAL):
            yield each.replace(kind=kind, default=values.get(each.name, each.default))


def _without(signature: Signature, count: int) -> Signature:
    """Return a signature without the first parameters that take something by position.

    Raises:
        ValueError: If it has not as many.
    """
    parameters = list(signature.parameters.values())
    for _ in range(count):
        if not parameters or parameters[0].kind not in (*_BY_POSITION, Parameter.VAR_POSITIONAL):
            raise ValueError("more is handed in than can be taken")
        if parameters[0].kind in _BY_POSITION:
            del parameters[0]
    return signature.replace(parameters=parameters)


def _joined(own: Signature, inner: Signature, handed: Handed) -> Signature:
    """Return what is taken by a wrapper and by what it passes the rest on to.

    Raises:
        ValueError: If that cannot be said as a signature.
    """
    mine = list(own.parameters.values())
    first = [each for each in mine if each.kind in _BY_POSITION]
    options = [each for each in mine if each.kind is Parameter.KEYWORD_ONLY]
    passes = {each.kind for each in mine if each.kind in _VARIABLE}
    rest = _remaining(_without(inner, handed.number).parameters.values(), handed.names)
    known = {each.name for each in (*first, *options)}
    passed = list(_passed((each for each in rest if each.name not in known), passes))
    if handed.may_skip and known:  # its own arguments may say that the function is not called
        passed = [_optional(each) for each in passed]
    parameters = sorted([*first, *passed, *options], key=lambda each: each.kind)
    return inner.replace(parameters=parameters)


def _remaining(parameters: Iterable[Parameter], names: Iterable[str]) -> Iterator[Parameter]:
    """Yield what is left to the caller of those of which some are handed in by name."""
    for each in _preset(parameters, dict.fromkeys(names)):
        if each.name not in names:
            yield each


def _passed(parameters: Iterable[Parameter], passes: set[Any]) -> Iterator[Parameter]:
    """Yield parameters as they can be given where only some kinds of arguments are passed on.

    Raises:
        ValueError: If one is needed that cannot be given at all.
    """
    ways = {
        Parameter.POSITIONAL_ONLY: Parameter.VAR_POSITIONAL in passes,
        Parameter.KEYWORD_ONLY: Parameter.VAR_KEYWORD in passes,
    }
    for each in parameters:
        possible: list[Any]
        if each.kind in _VARIABLE:
            possible = [each.kind] if each.kind in passes else []
        elif each.kind is Parameter.POSITIONAL_OR_KEYWORD:
            possible = [kind for kind, is_passed in ways.items() if is_passed]
            possible = [each.kind] if len(possible) == len(ways) else possible
        else:
            possible = [each.kind] if ways[each.kind] else []
        if possible:
            yield each.replace(kind=possible[0])
        elif each.default is each.empty and each.kind not in _VARIABLE:
            raise ValueError(f"{each.name} cannot be given")


def _optional(parameter: Parameter) -> Parameter:
    is_required = parameter.default is parameter.empty and parameter.kind not in _VARIABLE
    return parameter.replace(default=NOT_KNOWN) if is_required else parameter


def _open(own: Signature, inner: Taken) -> Taken:
    """Return what lets everything through, and names what is possible."""
    named: dict[str, Parameter] = {}
    for each in (*inner.signature.parameters.values(), *own.parameters.values()):
        if each.kind not in _VARIABLE:
            named[each.name] = _optional(each).replace(kind=Parameter.KEYWORD_ONLY)
    rest, extra = (_free_name(each, named) for each in _ANY.parameters.values())
    signature = inner.signature.replace(parameters=[rest, *named.values(), extra])
    return Taken(signature, is_open=True, order=_order(inner))


def _order(inner: Taken) -> tuple[str, ...]:
    if inner.is_open:
        return inner.order
    taken_ = inner.signature.parameters.values()
    return tuple(each.name for each in taken_ if each.kind in _BY_POSITION)


def _free_name(parameter: Parameter, names: dict[str, Parameter]) -> Parameter:
    name = parameter.name
    while name in names:
        name = f"_{name}"
    return parameter.replace(name=name)


def shown(signature: Signature) -> str:
    """Return a signature as text, without the quotes of annotations that were never evaluated."""
    parameters = [
        each.replace(annotation=_bare(each.annotation)) for each in signature.parameters.values()
    ]
    returned = signature.return_annotation
    return str(signature.replace(parameters=parameters, return_annotation=_bare(returned)))


def _bare(annotation: Any) -> Any:
    is_text = isinstance(annotation, str)
    return _Bare(annotation.strip("'\"")) if is_text else annotation


class _Bare(str):
    """Text that is shown as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
