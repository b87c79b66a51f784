"""What the names in a function stand for: its own variables, or something outside of it."""

import ast
import builtins
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import CellType, FunctionType, ModuleType
from typing import Any, Final, NamedTuple

from pooldeck.worker.risks.process_wide import Unloaded, contents

UNKNOWN: Final = object()
"""The value of what only running would tell."""

_INNER: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Outside(NamedTuple):
    """Something that is not the function's own: how the code names it, and what that stands for."""

    path: str
    value: Any


@dataclass
class Scope:
    """The names of one function; `names` are None where they are variables of a call."""

    module: Mapping[str, Any]  # the globals
    names: dict[str, Outside | None]
    shared: set[str] = field(default_factory=set)  # declared global, or nonlocal to all calls

    def resolve(self, node: ast.expr) -> Outside | None:
        """Return what an expression stands for, if it leads out of the function."""
        match node:
            case ast.Name(id=name):
                return self._named(name)
            case ast.Attribute(value=owner, attr=name):
                return _attribute(self.resolve(owner), name)
            case ast.Subscript(value=owner):
                found = self.resolve(owner)
                return None if found is None else Outside(found.path, UNKNOWN)
            case ast.Call(func=ast.Name(id="globals")) if "globals" not in self.names:
                return Outside("globals()", self.module)
        return None

    def is_shared(self, name: str) -> bool:
        """Tell whether setting a variable is seen by other calls."""
        return name in self.shared

    def inner(self, node: ast.AST) -> "Scope":
        """Return the scope of a function that is defined in this one."""
        shared = self.shared.intersection(_declared(node, ast.Nonlocal))
        scope = Scope(self.module, dict(self.names), shared)
        scope.enter(node)
        return scope

    def enter(self, node: ast.AST) -> None:
        """Take in what a function itself binds."""
        declared = set(_declared(node, ast.Global))
        elsewhere = declared | set(_declared(node, ast.Nonlocal))
        for name in declared:
            self.names.pop(name, None)
        self.shared |= declared
        bound = Counter(name for name in _bound(node) if name not in elsewhere)
        self.names |= dict.fromkeys(bound, None)
        for name, value in _known(node):
            if bound[name] == 1:
                self.names[name] = value if isinstance(value, Outside) else self.resolve(value)

    def _named(self, name: str) -> Outside | None:
        if name in self.names:
            return self.names[name]
        value = self.module.get(name, vars(builtins).get(name, UNKNOWN))
        return Outside(name, value)


def scope_of(function: FunctionType, node: ast.AST) -> Scope:
    """Return the scope of a function; what it closes over is shared by all calls of it."""
    closed = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    names: dict[str, Outside | None] = {
        name: Outside(name, _content(cell)) for name, cell in closed.items()
    }
    scope = Scope(function.__globals__, names, set(closed))
    scope.enter(node)
    return scope


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return UNKNOWN


def _attribute(owner: Outside | None, name: str) -> Outside | None:
    if owner is None:
        return None
    return Outside(f"{owner.path}.{name}", _member(owner.value, name))


def _member(owner: Any, name: str) -> Any:
    if type(owner) is Unloaded:
        return Unloaded(f"{owner.name}.{name}")
    if issubclass(type(owner), ModuleType):
        found = contents(owner)
        return found[name] if name in found else Unloaded(f"{found.get('__name__')}.{name}")
    return UNKNOWN


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what belongs to a function, in order, but for what is in functions within it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _INNER):
            yield from _walk(child)


def _declared(node: ast.AST, kind: type[ast.Global | ast.Nonlocal]) -> Iterator[str]:
    for each in _walk(node):
        if isinstance(each, kind):
            yield from each.names


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that a function binds, each as often as it does so."""
    if isinstance(node, _INNER):
        yield from (each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg))
    for each in _walk(node):
        match each:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name
            case ast.ExceptHandler(name=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
            case ast.Import() | ast.ImportFrom():
                yield from (name for name, _ in _imported(each))


def _known(node: ast.AST) -> Iterator[tuple[str, ast.expr | Outside]]:
    """Yield names that a function gives to something, and what that is."""
    for each in _walk(node):
        match each:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.Import() | ast.ImportFrom():
                yield from _imported(each)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Outside]]:
    for each in node.names:
        if isinstance(node, ast.Import):
            name = each.name if each.asname else each.name.partition(".")[0]
            yield each.asname or name, Outside(name, _module(name))
        elif not node.level:
            found = _member(_module(node.module or ""), each.name)
            yield each.asname or each.name, Outside(f"{node.module}.{each.name}", found)
        else:
            yield each.asname or each.name, Outside(each.name, UNKNOWN)


def _module(name: str) -> Any:
    loaded = sys.modules.get(name)
    return Unloaded(name) if loaded is None else loaded
