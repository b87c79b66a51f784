"""The POOLDECK_* variables of an environment: which of them are settings, and which are nothing.

pydantic passes over variables that it does not know: a mistyped POOLDECK_TOKEN would run a server
that is open. So every name with that prefix has to be one of these: a setting, one of our own, or
what an orchestrator sets by itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import NoneType
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel

from pooldeck.beside import address
from pooldeck.marks import BOOT, CALL, WORKER
from pooldeck_server import failpoints
from pooldeck_server.settings.errors import BadSettings
from pooldeck_server.settings.injected import injected
from pooldeck_server.settings.removed import REMOVED, no_longer
from pooldeck_server.settings.server import Settings

PREFIX: Final = "POOLDECK_"
"""Of every variable that is ours, in capitals or not."""

_DELIMITER: Final = "__"  # between a table and what is in it
_URL: Final = "POOLDECK_URL"  # where the commands find the server that they talk to
_PROFILE: Final = "POOLDECK_PROFILE"  # the name of that place
_FOR_HOSTS: Final = frozenset(  # what `pooldeck host` reads
    f"POOLDECK_{name}" for name in ("SERVER", "AUTHORITY", "CERTIFICATE", "KEY")
)
_FOR_COMMANDS: Final = frozenset({_URL, _PROFILE})
_OURS: Final = (
    frozenset({BOOT, WORKER, CALL, failpoints.VARIABLE, address.VARIABLE})
    | _FOR_COMMANDS
    | _FOR_HOSTS
)
_CLOSE: Final = 0.6  # as difflib has it
_VERY_CLOSE: Final = 0.8  # where a part of the name is taken from what was given
_LONGEST: Final = 8  # words of a name that are tried as names of pools and commands


def check_variables(environment: Mapping[str, str]) -> None:
    """Refuse an environment with variables that look like settings and are none.

    Raises:
        BadSettings: With a line for each; none has a value in it, which may be a secret.
    """
    ours = {name: value for name, value in environment.items() if _is_prefixed(name)}
    known = _OURS | injected(environment)
    if found := [words for name in ours if name not in known and (words := _removed(name))]:
        raise BadSettings(found)
    problems = [
        words
        for name, value in sorted(ours.items())
        if (name not in known or name in _FOR_COMMANDS) and (words := _problem(name, value))
    ]
    if problems:
        raise BadSettings(problems)


def _is_prefixed(name: str) -> bool:
    return name.upper().startswith(PREFIX)


def _path(name: str) -> list[str]:
    return name[len(PREFIX) :].lower().split(_DELIMITER)


def _removed(name: str) -> str | None:
    (first, *_) = _path(name)
    return no_longer(first) if first in REMOVED else None


def _problem(name: str, value: str) -> str | None:
    """Return what is wrong with a variable, in one line; None for nothing that can be seen here."""
    shape: Any = str if name in _FOR_COMMANDS else _at(_path(name))
    if shape is None:
        return f"{name}: there is no such setting{_suggestion(name)}"
    if not value.strip() and not _may_be_empty(shape, _path(name)):
        return f"{name} is empty: give it a value, or take it out of the environment"
    return None


def _at(path: Sequence[str]) -> Any:
    """Return the type of the setting at `path`; None if there is none."""
    shape: Any = Settings
    for part in path:
        shape = _under(shape, part)
    return shape


def _under(shape: Any, name: str) -> Any:
    if _is_table(shape):
        field = shape.model_fields.get(name)
        return None if field is None else _some(field.annotation)
    return get_args(shape)[1] if get_origin(shape) is dict else None


def _is_table(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, BaseModel)


def _some(annotation: Any) -> Any:
    """Return a type without `| None`."""
    parts = get_args(annotation)
    others = [part for part in parts if part is not NoneType]
    return others[0] if NoneType in parts and len(others) == 1 else annotation


def _may_be_empty(shape: Any, path: Sequence[str]) -> bool:
    """Tell whether a setting may be "": a list, or a text that is for the user's own program."""
    return get_origin(shape) is tuple or (shape is str and path[0] == "commands")


def _suggestion(name: str) -> str:
    given = name[len(PREFIX) :].upper()
    of_commands = {variable.removeprefix(PREFIX) for variable in _FOR_COMMANDS}
    fixed = {*of_commands, *_names(Settings, set())}
    chosen = _names(Settings, _keys(given))
    if close := _close(given, chosen, _VERY_CLOSE) or _close(given, fixed, _CLOSE):
        return f"; did you mean {PREFIX}{close[0]}?"
    return (
        f". Names that begin with {PREFIX} are Pooldeck's own: take it out of the environment, "
        "or give it another name"
    )


def _close(given: str, names: Iterable[str], least: float) -> list[str]:
    """Return the name that is most like what was given, if one is so by `least`, of 1."""
    return get_close_matches(given, {name.upper() for name in names}, n=1, cutoff=least)


def _keys(given: str) -> set[str]:
    """Return what in a name may be the name of a pool or of a command: some words in a row."""
    words = [word for word in given.split("_") if word][:_LONGEST]
    places = range(len(words))
    return {"_".join(words[i : j + 1]) for i in places[1:] for j in places[i:]}


def _names(shape: Any, keys: set[str]) -> Iterator[str]:
    """Yield the names of all settings in a table; those that people choose are out of `keys`."""
    if _is_table(shape):
        for name, field in shape.model_fields.items():
            yield name
            yield from _below(name, _some(field.annotation), keys)
    elif get_origin(shape) is dict:
        for key in keys:
            yield from _below(key, get_args(shape)[1], keys)


def _below(name: str, shape: Any, keys: set[str]) -> Iterator[str]:
    for below in _names(shape, keys):
        yield f"{name}{_DELIMITER}{below}"
