"""`@task`, and how a registered function is described: as plain data.

The decorator keeps no registry: it hangs the options on the function, and a worker finds the
functions by looking through the modules it was told to load.
"""

import inspect
import math
import re
from collections.abc import Callable, Collection
from enum import StrEnum
from types import NoneType
from typing import Any, Final, NamedTuple, TypeVar, overload

import msgspec
from msgspec import Struct

OPTIONS_ATTRIBUTE: Final = "__pooldeck_options__"

F = TypeVar("F", bound=Callable[..., Any])


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


class FunctionSpec(Struct, frozen=True):
    """A registered function as a worker describes it to the server: data, no code."""

    name: str
    module: str
    signature: str
    doc: str
    parameters: list[ParameterSpec]
    schema: dict[str, Any]  # JSON Schema of an object: parameter name → value, with $defs
    options: Options
    is_async: bool = False
    problem: str | None = None  # why it cannot be called, in words


class Rule(NamedTuple):
    """What an option may be: of which types, which of their values, and both in words."""

    types: tuple[type, ...]
    holds: Callable[[Any], bool]
    wanted: str


MOST_URGENT: Final = 100
"""The highest priority; the lowest is its opposite."""

POOL_NAME: Final = r"[a-z][a-z0-9_-]{0,31}"
"""What the name of a pool matches."""

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
    ),
    "retries": Rule((int,), lambda count: count >= 0, "a whole number from 0"),
    "backoff": Rule((int, float), lambda seconds: 0 <= seconds < math.inf, "seconds from 0"),
    "idempotent": Rule((bool,), lambda _: True, "True or False"),
    "priority": Rule(
        (int,),
        lambda value: abs(value) <= MOST_URGENT,
        f"a whole number, -{MOST_URGENT} to {MOST_URGENT}",
    ),
    "sensitive": Rule(
        (tuple, list, set, frozenset),
        lambda names: all(isinstance(name, str) for name in names),
        "a tuple of parameter names",
    ),
}


@overload
def task(function: F, /) -> F: ...
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
) -> Callable[[F], F]: ...
def task(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Register a function, so that it can be called by name through the server.

    Works bare (`@task`) and with options (`@task(pool="cpu")`). The function itself is returned,
    an ordinary callable as before.

    Args:
        function: A function of a module, plain or `async def`.
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
    return Options(**options)


def _check(name: str, value: Any, rule: Rule) -> None:
    complaint = f"@task({name}={value!r}): {name} must be {rule.wanted}"
    is_stray_bool = isinstance(value, bool) and bool not in rule.types
    if is_stray_bool or not isinstance(value, rule.types):
        raise TypeError(complaint)
    if not rule.holds(value):
        raise ValueError(complaint)


def _register(function: F, options: Options) -> F:
    if not inspect.isfunction(function):
        raise TypeError(f"@task goes on a function, not on {function!r}")
    _refuse_method(function.__qualname__)
    _check_sensitive(function, options.sensitive)
    setattr(function, OPTIONS_ATTRIBUTE, options)
    return function


def _refuse_method(qualified_name: str) -> None:
    owner = qualified_name.rpartition(".")[0]
    if owner and not owner.endswith("<locals>"):
        raise TypeError(
            f"@task goes on a function of a module; {qualified_name} is a method, which has no "
            "object to be called on in a worker"
        )


def _check_sensitive(function: Callable[..., Any], names: Collection[str]) -> None:
    parameters = inspect.signature(function).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [name for name in names if name not in parameters]
    if unknown and not takes_any:
        raise ValueError(
            f"@task(sensitive={tuple(names)!r}): {function.__name__} has no parameter "
            f"{', '.join(unknown)}"
        )
