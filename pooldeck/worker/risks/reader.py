"""Walks the syntax tree of one function, and notes what its calls would share."""

import ast
import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from pooldeck.risks import Risk, RiskKind
from pooldeck.text import bounded
from pooldeck.worker.risks import process_wide, stateful
from pooldeck.worker.risks.helpers import helpers
from pooldeck.worker.risks.process_wide import Unloaded, contents
from pooldeck.worker.risks.scopes import UNKNOWN, Outside, Scope

_LONGEST: Final = 100  # bytes of a name
_CHANGING: Final = frozenset(
    {
        *("append", "appendleft", "extend", "extendleft", "insert", "remove", "pop", "popleft"),
        *("popitem", "clear", "update", "setdefault", "add", "discard", "rotate", "sort"),
        *("reverse", "subtract", "difference_update", "intersection_update"),
        *("symmetric_difference_update", "__setitem__", "__delitem__", "__setattr__"),
    }
)
"""Methods that change the container that they are called on."""

_CHANGING_THE_FIRST: Final = frozenset(
    {
        *("heapq.heappush", "heapq.heappop", "heapq.heapify", "heapq.heapreplace"),
        *("heapq.heappushpop", "bisect.insort", "bisect.insort_left", "bisect.insort_right"),
        *("random.shuffle", "setattr", "delattr", "operator.setitem", "operator.delitem"),
    }
)
"""Functions that change their first argument."""


class Reader(ast.NodeVisitor):
    """Walks one function.

    Args:
        name: What it is called.
        scope: What its names stand for.
        node: Where it is defined.

    Attributes:
        node: The same.
        uses: The functions of its module that it uses.
    """

    def __init__(self, name: str, scope: Scope, node: ast.AST) -> None:
        self.node = node
        self.uses: list[FunctionType] = []
        self._name = name
        self._scope = scope
        self._called = process_wide.Called()
        self._found: dict[tuple[RiskKind, str], Risk] = {}

    def read(self) -> None:
        """Walk the body; decorators and defaults have run at import."""
        body = getattr(self.node, "body", [])
        for each in body if isinstance(body, list) else [body]:
            self.visit(each)

    def risks(self) -> Iterator[Risk]:
        """Yield what was seen, each thing once, where it is first."""
        yield from self._found.values()

    # What is looked at.

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_inner(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_inner(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_inner(node)

    def _visit_inner(self, node: ast.AST) -> None:
        outer, self._scope = self._scope, self._scope.inner(node)
        self.generic_visit(node)
        self._scope = outer

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(node, self._scope.resolve(node))
        elif self._scope.is_shared(node.id):
            self._note(RiskKind.WRITES, node.id, node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(node, self._scope.resolve(node))
        else:
            self._change(node, self._scope.resolve(node.value), node.attr)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._change(node, self._scope.resolve(node.value))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
            owner = self._scope.resolve(node.func.value)
            if owner is not None and _has_methods_of_containers(owner.value):
                self._change(node, owner)
        if node.args and _full_name(self._scope.resolve(node.func)) in _CHANGING_THE_FIRST:
            self._change(node, self._scope.resolve(node.args[0]))
        self.generic_visit(node)

    # What it means.

    def _use(self, node: ast.expr, found: Outside | None) -> None:
        if found is None or found.value is UNKNOWN:
            return
        if known := self._called.find(found.value):
            self._note(*known, node)
        elif own := list(helpers(found.value, self._scope.module.get("__name__"))):
            self.uses += own
        elif self._is_stateful(node, found.value):
            self._note(RiskKind.STATE, found.path, node, stateful.class_name(found.value))

    def _is_stateful(self, node: ast.expr, value: Any) -> bool:
        if type(value) is Unloaded or process_wide.is_environment(value):
            return False  # whoever changes the environment is seen doing so
        if self._is_of_the_library(node):
            return False
        return stateful.has_state(value)

    def _is_of_the_library(self, node: ast.expr) -> bool:
        """Tell whether something is an attribute of a module that comes with Python."""
        owner = self._scope.resolve(node.value) if isinstance(node, ast.Attribute) else None
        if owner is None or not _is_module(owner.value):
            return False
        return _name_of(owner.value).partition(".")[0] in sys.stdlib_module_names

    def _change(self, node: ast.expr, owner: Outside | None, attribute: str = "") -> None:
        """Note that something outside is changed: an item of it, or an attribute."""
        if owner is None or stateful.is_per_call(owner.value):
            return
        path = f"{owner.path}.{attribute}" if attribute else owner.path
        self._note(_kind_of_change(owner.value, attribute), path, node)

    def _note(self, kind: RiskKind, what: str, node: ast.expr, type_: str = "") -> None:
        what = bounded(what, _LONGEST)
        risk = Risk(kind, what, node.lineno, self._name, bounded(type_, _LONGEST))
        self._found.setdefault((kind, what), risk)


def _kind_of_change(owner: Any, attribute: str) -> RiskKind:
    if process_wide.is_environment(owner):
        return RiskKind.ENVIRONMENT
    if _is_module(owner) or type(owner) is Unloaded:
        return process_wide.assigned(f"{_name_of(owner)}.{attribute}")
    return RiskKind.WRITES


def _has_methods_of_containers(value: Any) -> bool:
    """Tell whether a value has those methods, or may have them since it is part of something."""
    return value is UNKNOWN or process_wide.is_environment(value) or stateful.is_container(value)


def _full_name(function: Outside | None) -> str:
    """Return the name of a function with its module, such as "heapq.heappush"; "" of others."""
    if function is None:
        return ""
    if type(function.value) is Unloaded:
        return function.value.name
    if type(function.value) not in {FunctionType, BuiltinFunctionType, MethodType}:
        return ""
    module, name = function.value.__module__, function.value.__name__
    return name if module == "builtins" else f"{module or ''}.{name}".lstrip("_")


def _is_module(value: Any) -> bool:
    return issubclass(type(value), ModuleType)


def _name_of(module: Any) -> str:
    return module.name if type(module) is Unloaded else str(contents(module).get("__name__"))
