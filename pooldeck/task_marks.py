"""What `@task` has marked, and where: so that nothing that was marked is lost without a word."""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any, Final

OPTIONS_ATTRIBUTE: Final = "__pooldeck_options__"
HOME_ATTRIBUTE: Final = "__pooldeck_home__"

_MODULE: Final = "<module>"
_PACKAGE: Final = "pooldeck"
_NOTHING: Final = ModuleType("nothing")


@dataclass(frozen=True, eq=False, slots=True)
class MarkPlace:
    """A line of a module that was marking something while it was imported."""

    names: Mapping[str, Any]  # the module's globals
    line: int
    is_class_body: bool = False

    @property
    def module(self) -> str:
        """Return the module's name."""
        return str(self.names.get("__name__", ""))

    @property
    def is_current(self) -> bool:
        """Tell whether the module is imported, and not anew since."""
        return vars(sys.modules.get(self.module, _NOTHING)) is self.names


@dataclass(frozen=True, eq=False, slots=True)
class Mark:
    """A callable that was marked, with its options, and where that was."""

    function: Any
    options: Any
    place: MarkPlace | None

    @property
    def name(self) -> str:
        """Return the name that it has itself."""
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    @property
    def home(self) -> str:
        """Return the name of the module that has marked it, "" if none has."""
        return self.place.module if self.place else ""

    @property
    def line(self) -> int:
        """Return the line where that was."""
        return self.place.line if self.place else 0


_made_at_import: Final[list[Mark]] = []
_bare: Final[dict[int, Mark]] = {}  # of what takes no attributes, as methods and functions in C


def keep(function: Any, options: Any, place: MarkPlace | None) -> None:
    """Note that a callable is marked."""
    mark = Mark(function, options, place)
    try:
        setattr(function, OPTIONS_ATTRIBUTE, options)
        setattr(function, HOME_ATTRIBUTE, place.module if place else "")
    except (AttributeError, TypeError):
        _bare[id(function)] = mark
    if place is not None:
        _made_at_import.append(mark)


def options_of(value: Any) -> Any:
    """Return the options of a callable that was marked, or that other decorators made of it."""
    mark = _bare.get(id(value))
    return inspect.getattr_static(value, OPTIONS_ATTRIBUTE, None) if mark is None else mark.options


def home_of(value: Any) -> str:
    """Return the name of the module that marked a callable while it was imported, "" if none."""
    mark = _bare.get(id(value))
    if mark is None:
        return str(inspect.getattr_static(value, HOME_ATTRIBUTE, ""))
    return mark.home


def made_in(module: str, names: Mapping[str, Any]) -> Iterator[Mark]:
    """Yield what a module and those below it have marked while they were imported.

    `names` are the module's globals: one that was imported anew under its name has others.
    """
    for mark in tuple(_made_at_import):
        place = mark.place
        if place is not None:
            is_below = place.module.startswith(f"{module}.") and place.is_current
            if place.names is names or is_below:
                yield mark


def calling() -> MarkPlace | None:
    """Return the place in a module that calls `@task` while it is imported, None if there is none.

    Decorators of the user's may be between them.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - there is no other way
    is_class_body = False
    while frame is not None and _is_own(frame):
        frame = frame.f_back
    if frame is not None:
        is_class_body = frame.f_code.co_name != _MODULE and "__qualname__" in frame.f_locals
    while frame is not None and not _is_own(frame):
        if frame.f_code.co_name == _MODULE:
            return MarkPlace(frame.f_globals, frame.f_lineno, is_class_body)
        frame = frame.f_back
    return None


def _is_own(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__package__") or "").partition(".")[0] == _PACKAGE


def refuse_method(function: Any, place: MarkPlace | None) -> None:
    """Refuse what a class defines and only an object of it can be called with.

    Raises:
        TypeError: If it is such a method.
    """
    if not inspect.isfunction(function):
        return
    owner = function.__qualname__.rpartition(".")[0]
    is_inside = bool(owner) and not owner.endswith("<locals>")
    if (place and place.is_class_body) or (is_inside and not _is_static(function)):
        raise TypeError(
            f"@task goes on a function of a module; {function.__qualname__} is a method, which has "
            "no object to be called on in a worker"
        )


def line_of_twin(function: Callable[..., Any]) -> int | None:
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


def _is_static(function: Any) -> bool:
    """Tell whether a function can be called by its class, without an object."""
    *owners, name = function.__qualname__.split(".")
    found: Any = function.__globals__.get(owners[0])
    for owner in owners[1:]:
        found = getattr(found, owner, None)
    return isinstance(inspect.getattr_static(found, name, None), staticmethod)
