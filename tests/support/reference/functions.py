"""`@task` and `current_task()`: their options and attributes, from signatures and docstrings."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from types import FunctionType
from typing import Any, get_overloads

from bench.documents import table
from pooldeck.context import CurrentTask, current_task
from pooldeck.functions import RULES, task
from tests.support.reference.words import UndescribedError, cell, entries, summary


def options() -> str:
    """Return the table of the options of `@task`."""
    words = entries(task, "Options")
    [_, with_options] = get_overloads(task)
    parameters = inspect.signature(with_options).parameters
    if lacking := [name for name in parameters if name not in words]:
        raise UndescribedError(f"@task({name}=...) has no words" for name in lacking)
    if lacking := [name for name in parameters if _is_number(name) and RULES[name].unit is None]:
        raise UndescribedError(f"@task({name}=...) has no unit" for name in lacking)
    rows = (
        (
            f"`{name}`",
            f"`{cell(_type(parameter.annotation))}`",
            f"`{parameter.default!r}`",
            RULES[name].unit or "",
            RULES[name].wanted,
            cell(words[name]),
        )
        for name, parameter in parameters.items()
    )
    return table(["option", "type", "default", "unit", "may be", "meaning"], rows)


def _is_number(name: str) -> bool:
    return bool({int, float} & {*RULES[name].types})


def current() -> str:
    """Return what `current_task` does, and the attributes and the methods of what it returns."""
    called = f"`current_task{_short(str(inspect.signature(current_task)))}`"
    attributes = table(
        ["attribute", "type", "meaning"],
        ((f"`{name}`", f"`{cell(type_)}`", cell(words)) for name, type_, words in _attributes()),
    )
    methods = "\n".join(_methods())
    return f"{called}: {_said('current_task', summary(current_task))}\n\n{attributes}\n\n{methods}"


def _attributes() -> Iterator[tuple[str, str, str]]:
    """Yield the name, the type and the meaning of each public attribute and property."""
    words = entries(CurrentTask, "Attributes")
    for field in fields(CurrentTask):
        if not field.name.startswith("_"):
            yield (
                field.name,
                _type(field.type),
                _said(f"CurrentTask.{field.name}", words.get(field.name)),
            )
    for name, value in vars(CurrentTask).items():
        if isinstance(value, property) and not name.startswith("_"):
            returned = inspect.signature(value.fget).return_annotation  # type: ignore[arg-type]  # a property that is read
            yield name, _type(returned), _said(f"CurrentTask.{name}", summary(value))


def _methods() -> Iterator[str]:
    """Yield an item for each public method, and one below it for each of its parameters."""
    for name, method in vars(CurrentTask).items():
        if not isinstance(method, FunctionType) or name.startswith("_"):
            continue
        yield f"- `{name}{_signature(method)}`: {_said(f'CurrentTask.{name}', summary(method))}"
        said = entries(method, "Args")
        for parameter in [*inspect.signature(method).parameters][1:]:
            words = _said(f"{parameter} of CurrentTask.{name}", said.get(parameter))
            yield f"    - `{parameter}`: {words}"


def _signature(method: FunctionType) -> str:
    signature = inspect.signature(method)
    _, *others = signature.parameters.values()
    return _short(str(signature.replace(parameters=others)))


def _said(what: str, words: str | None) -> str:
    if not words:
        raise UndescribedError([f"{what} has no words"])
    return words


def _type(annotation: Any) -> str:
    return _short(inspect.formatannotation(annotation))


def _short(text: str) -> str:
    """Return annotations without the names of modules."""
    return re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", text)
