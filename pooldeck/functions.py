"""`@task`, and how a registered function is described: as plain data.

The decorator hangs the options on the function, and a worker finds the functions by looking through
the modules it was told to load. What was marked where is remembered beside that, so that a function
which no module holds can be named.
"""

import inspect
import math
import re
from collections.abc import Callable, Collection
from enum import StrEnum
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, ParamSpec, TypeVar, overload

import msgspec
from msgspec import Struct

from pooldeck import task_marks as marks
from pooldeck.kinds import PoolKind
from pooldeck.risks import Risk
from pooldeck.task_calls import attach

if TYPE_CHECKING:
    from pooldeck.client.function_types import TaskDecorator, TaskFunction

OPTIONS_ATTRIBUTE: Final = marks.OPTIONS_ATTRIBUTE
TWIN_ATTRIBUTE: Final = "__pooldeck_twin__"

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")


class ParameterKind(StrEnum):
    """How a parameter may be given; the names are `inspect.Parameter`'s."""

    POSITIONAL_ONLY = "positional_only"
    POSITIONAL_OR_KEYWORD = "positional_or_keyword"
    VAR_POSITIONAL = "var_positional"
    KEYWORD_ONLY = "keyword_only"
    VAR_KEYWORD = "var_keyword"


class ParameterSpec(Struct, frozen=True):
    """One parameter: its JSON Schema, and its default as JSON text (None: no JSON default)."""

    name: str
    kind: ParameterKind
    required: bool
    schema: dict[str, Any]
    default: str | None = None


class RunOptions(Struct, frozen=True, gc=False, omit_defaults=True):
    """The options that each task keeps: how it is run.

    They are its function's, where its submission did not say otherwise. `timeout` and `backoff` are
    seconds. `retries` is how often the server runs it again by itself.
    """

    timeout: float | None = None
    retries: int = 0
    backoff: float = 1.0
    idempotent: bool = False

    @classmethod
    def from_json(cls, text: str | None) -> "RunOptions":
        """Return the options that a task keeps as `text`; None stands for the defaults."""
        return _DEFAULTS if text is None else msgspec.json.decode(text, type=cls)

    def to_json(self) -> str | None:
        """Return them as a task keeps them: without defaults, None where nothing is left."""
        return None if self == _DEFAULTS else msgspec.json.encode(self).decode()


_DEFAULTS: Final = RunOptions()


class Options(RunOptions, frozen=True, omit_defaults=False):
    """What `@task(...)` was given; times in seconds."""

    name: str | None = None
    pool: str = "auto"
    priority: int = 0
    sensitive: tuple[str, ...] = ()
    safe_in: tuple[PoolKind, ...] = ()


class FunctionSpec(Struct, frozen=True):
    """A registered function as a worker describes it to the server: data, no code.

    `risks` are None where its code could not be looked at. `code` is a digest of what was looked
    at, which differs once that does something else. `shares`: it uses `pooldeck.shared`.
    """

    name: str
    module: str
    signature: str
    doc: str
    parameters: list[ParameterSpec]
    schema: dict[str, Any]  # JSON Schema of an object: parameter name → value, with $defs
    options: Options
    is_async: bool = False
    problem: str | None = None  # why it cannot be called, in words
    risks: tuple[Risk, ...] | None = None
    code: str = ""
    shares: bool = False

    def check(self) -> None:
        """Raise an error if it is none that `@task` and a worker make.

        Raises:
            TypeError: If an option or a schema is of a wrong type.
            ValueError: If an option is out of its range, or a default is no JSON.
        """
        for name, rule in RULES.items():
            _check(name, getattr(self.options, name), rule)
        msgspec.json.encode(self.schema)
        for parameter in self.parameters:
            msgspec.json.encode(parameter.schema)
            if parameter.default is not None:
                msgspec.json.decode(parameter.default)


class Rule(NamedTuple):
    """What an option may be: of which types, which of their values, and both in words.

    `unit` is what a number counts, "" if nothing.
    """

    types: tuple[type, ...]
    holds: Callable[[Any], bool]
    wanted: str
    unit: str | None = None


MOST_URGENT: Final = 100
"""The highest priority; the lowest is its opposite."""

POOL_NAME: Final = r"[a-z][a-z0-9_-]{0,31}"
"""What the name of a pool matches."""

_KINDS: Final = frozenset(PoolKind)
_NAME = re.compile(r"[^\W\d][\w.-]{0,199}")
RULES: Final = {
    "name": Rule(
        (str, NoneType),
        lambda name: name is None or _NAME.fullmatch(name) is not None,
        "a name of up to 200 letters, digits, dots, dashes and underscores",
    ),
    "pool": Rule((str,), lambda pool: re.fullmatch(POOL_NAME, pool) is not None, "a pool's name"),
    "timeout": Rule(
        (int, float, NoneType),
        lambda seconds: seconds is None or 0 < seconds < math.inf,
        "seconds above 0, or None",
        "seconds",
    ),
    "retries": Rule((int,), lambda count: count >= 0, "a whole number from 0", "reruns"),
    "backoff": Rule(
        (int, float), lambda seconds: 0 <= seconds < math.inf, "seconds from 0", "seconds"
    ),
    "idempotent": Rule((bool,), lambda _: True, "True or False"),
    "priority": Rule(
        (int,),
        lambda value: abs(value) <= MOST_URGENT,
        f"a whole number, -{MOST_URGENT} to {MOST_URGENT}",
        "",
    ),
    "sensitive": Rule(
        (tuple, list, set, frozenset),
        lambda names: all(isinstance(name, str) for name in names),
        "a tuple of parameter names",
    ),
    "safe_in": Rule(
        (tuple, list, set, frozenset),
        lambda kinds: all(isinstance(kind, str) and kind in _KINDS for kind in kinds),
        f"a tuple of kinds of pools, out of {', '.join(PoolKind)}",
    ),
}


@overload
def task(function: Callable[P, R], /) -> "TaskFunction[P, R]": ...
@overload
def task(
    *,
    name: str | None = None,
    pool: str = "auto",
    timeout: float | None = None,
    retries: int = 0,
    backoff: float = 1.0,
    idempotent: bool = False,
    priority: int = 0,
    sensitive: Collection[str] = (),
    safe_in: Collection[str] = (),
) -> "TaskDecorator": ...
def task(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Register a function, so that it can be called by name through the server.

    Works bare (`@task`) and with options (`@task(pool="cpu")`). The function itself is returned,
    an ordinary callable as before, with four more attributes: `submit`, `delay`, `map` and
    `options` run it as tasks on the server of `pooldeck.client.default_client()`.

    Args:
        function: A function of a module, plain or `async def`; or another callable that a module
            holds, as a partial function, a method of an object, or a library's function.
        **options: See below.

    Options:
        name: What it is called by; `module.function` unless given.
        pool: A pool's name; "auto" leaves the choice to the server.
        timeout: Seconds from its start to its end.
        retries: How often it is run again after an exception or a timeout.
        backoff: Seconds before the first retry, doubled each time.
        idempotent: Whether it may be run again after a crash.
        priority: From -100 to 100, higher first.
        sensitive: Names of parameters whose values are never shown.
        safe_in: Its owner's word: the kinds of pools, "thread" or "process", that measurements may
            move it to by themselves. It counts as long as `pool` is "auto".

    Returns:
        The function, or with options a decorator that returns it.

    Raises:
        TypeError: If it is not a function of a module, or an option is unknown or of a wrong type.
        ValueError: If an option's value is out of its range.
    """
    checked = _checked(options)
    if function is not None:
        return _register(function, checked)
    return lambda decorated: _register(decorated, checked)


def _checked(options: dict[str, Any]) -> Options:
    for name, value in options.items():
        if name not in RULES:
            raise TypeError(f"@task has no option {name!r}; there are {', '.join(RULES)}")
        _check(name, value, RULES[name])
    if "sensitive" in options:
        options["sensitive"] = tuple(options["sensitive"])
    if "safe_in" in options:  # in one order: every worker reports the same, whatever a set does
        options["safe_in"] = tuple(kind for kind in PoolKind if kind in options["safe_in"])
    return Options(**options)


def _check(name: str, value: Any, rule: Rule) -> None:
    complaint = f"@task({name}={value!r}): {name} must be {rule.wanted}"
    is_stray_bool = isinstance(value, bool) and bool not in rule.types
    if isinstance(value, str) and tuple in rule.types:
        raise TypeError(f'{complaint}; a tuple of one is written {name}=("{value}",)')
    if is_stray_bool or not isinstance(value, rule.types):
        raise TypeError(complaint)
    if not rule.holds(value):
        raise ValueError(complaint)


def _register(function: F, options: Options) -> F:
    if not callable(function) or inspect.isclass(function):
        raise TypeError(f"@task goes on a function, not on {function!r}")
    place = marks.calling()
    marks.refuse_method(function, place)
    _check_sensitive(function, options.sensitive)
    marks.keep(function, options, place)
    attach(function)
    if (line := _line_of_twin(function)) is not None:
        setattr(function, TWIN_ATTRIBUTE, line)
    return function


def _line_of_twin(function: Callable[..., Any]) -> int | None:
    """Return the line of another registered function that this one takes the place of, if any.

    One of the same line is itself, as where its module is loaded anew; one of another file was
    defined elsewhere, as a cell of a notebook that is run again.
    """
    if not inspect.isfunction(function):
        return None
    before = function.__globals__.get(function.__name__)
    if not inspect.isfunction(before) or not hasattr(before, OPTIONS_ATTRIBUTE):
        return None
    mine, other = function.__code__, before.__code__
    is_twin = (
        other.co_filename == mine.co_filename
        and other.co_firstlineno < mine.co_firstlineno
        and "<locals>" not in function.__qualname__
    )
    return other.co_firstlineno if is_twin else None


def _check_sensitive(function: Callable[..., Any], names: Collection[str]) -> None:
    if not names:
        return
    parameters = inspect.signature(function).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [name for name in names if name not in parameters]
    if unknown and not takes_any:
        raise ValueError(
            f"@task(sensitive={tuple(names)!r}): {function.__name__} has no parameter "
            f"{', '.join(unknown)}"
        )
