"""The syntax tree of a function, by the place that its code says it stands at."""

import ast
import linecache
from functools import cached_property
from types import CodeType, FunctionType
from typing import Final, TypeAlias

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_LAMBDA: Final = "<lambda>"
_MOST: Final = 2_000_000  # characters of a file: reading it must not hold up the worker's start


class Source:
    """One file, read and parsed once, with the functions in it."""

    def __init__(self, file: str, names: dict[str, object]) -> None:
        """Name a file; `names` are the globals of its module, which may know how to load it."""
        self._lines = linecache.getlines(file, names)

    def find(self, code: CodeType) -> Definition | None:
        """Return where a function is defined, None if the file does not have it there."""
        return self._definitions.get((code.co_name, code.co_firstlineno))

    @cached_property
    def _definitions(self) -> dict[tuple[str, int], Definition]:
        text = "".join(self._lines)
        if not text or len(text) > _MOST:
            return {}
        found = (node for node in ast.walk(ast.parse(text)) if isinstance(node, Definition))
        return {_place(node): node for node in found}


class Sources:
    """The files of functions, each read once."""

    def __init__(self) -> None:
        self._files: dict[str, Source] = {}

    def find(self, function: FunctionType) -> Definition | None:
        """Return where a function is defined, None if it cannot be read there.

        Raises:
            SyntaxError: If the file is no Python any more.
        """
        file = function.__code__.co_filename
        if file not in self._files:
            self._files[file] = Source(file, function.__globals__)
        return self._files[file].find(function.__code__)


def _place(node: Definition) -> tuple[str, int]:
    """Return the name and the first line that the code of a definition has."""
    if isinstance(node, ast.Lambda):
        return _LAMBDA, node.lineno
    first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
    return node.name, first
