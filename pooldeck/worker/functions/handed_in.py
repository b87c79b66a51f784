"""What a decorator hands to the function that it wraps, beside what it was called with.

A wrapper with `*args` and `**kwargs` takes anything by its own signature. What it takes in truth
stands in its code: where it passes these on as they are, and what with them.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Any, Final, NamedTuple

from pooldeck.worker.risks.scopes import UNKNOWN, Scope, scope_of
from pooldeck.worker.risks.sources import Definition, Sources

_CHANGING: Final = frozenset({"pop", "popitem", "setdefault", "update", "clear", "__setitem__"})
_BRANCHES: Final = {
    ast.If: ("body", "orelse"),
    ast.IfExp: ("body", "orelse"),
    ast.Match: ("cases",),
}


class Handed(NamedTuple):
    """What a wrapper adds: so many arguments before the caller's, and some by name.

    `may_skip`: it does not call the function each time.
    """

    number: int
    names: frozenset[str]
    may_skip: bool


def handed_in(
    wrapper: FunctionType,
    wrapped: object,
    owner: object,
    sources: Sources,
    *,
    is_adapter: bool = False,
) -> Handed | None:
    """Return what a wrapper hands to the function that it wraps; None where its code does not say.

    Args:
        wrapper: Takes `*args`, `**kwargs` or both.
        wrapped: What it calls.
        owner: What `wrapper` is a method of, if it is one.
        sources: Where its code is read.
        is_adapter: Whether it takes what it wraps, an object, `args` and `kwargs`, as wrapt has it.
    """
    try:
        node = sources.find(wrapper)
        if node is None:
            return None
        reader = _Reader(node, scope_of(wrapper, node), wrapped, owner, is_adapter=is_adapter)
        return None if reader.changes_what_it_takes() else reader.handed()
    except Exception:  # noqa: BLE001 - whatever stands in the user's code, it is let through then
        return None


class _Reader:
    def __init__(
        self, node: Definition, scope: Scope, wrapped: object, owner: object, *, is_adapter: bool
    ) -> None:
        self._node = node
        self._scope = scope
        self._wrapped = wrapped
        self._owner = owner
        own = node.args
        first = own.posonlyargs + own.args
        self._taking = first[2:4] if is_adapter else [own.vararg, own.kwarg]
        self._rest, self._named = (each.arg if each else None for each in self._taking)
        self._self = first[0].arg if owner is not None else None
        self._given = first[0].arg if is_adapter else None  # a name of what is wrapped

    def changes_what_it_takes(self) -> bool:
        """Tell whether `*args` or `**kwargs` are not what the caller gave any more."""
        return any(map(self._changes, ast.walk(self._node)))

    def _changes(self, node: ast.AST) -> bool:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                return self._is_taken(name)
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                return self._is_taken(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
                return self._is_taken(name) and method in _CHANGING
            case ast.arg(arg=name):
                return self._is_taken(name) and node not in self._taking
        return False

    def _is_taken(self, name: str) -> bool:
        return name in {self._rest, self._named}

    def handed(self) -> Handed | None:
        """Return what all calls that pass on what was taken hand in, if they agree on it."""
        calls = [each for each in ast.walk(self._node) if isinstance(each, ast.Call)]
        passing = [each for each in calls if self._passes_on(each)]
        of_wrapped = [each for each in passing if self._calls_wrapped(each)]
        if not of_wrapped and any(map(self._may_hand_in, passing)):
            return None
        chosen = of_wrapped or passing
        added = {(self._positional(each), self._by_name(each)) for each in chosen}
        count, names = added.pop() if len(added) == 1 else (None, None)
        if count is None or names is None:
            return None
        return Handed(count, names, all(_may_skip(self._node, each) for each in chosen))

    def _passes_on(self, call: ast.Call) -> bool:
        starred = {_starred(each) for each in (*call.args, *call.keywords)}
        return {self._rest, self._named} - {None} <= starred

    def _calls_wrapped(self, call: ast.Call) -> bool:
        return self._is_wrapped(call.func) or any(map(self._is_wrapped, call.args))

    def _is_wrapped(self, node: ast.expr) -> bool:
        return self._value(node) is self._wrapped

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name) if name == self._given:
                return self._wrapped
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == self._self:
                return getattr(self._owner, "__dict__", {}).get(attribute)
            case ast.Starred(value=inner):
                return self._value(inner)
        found = self._scope.resolve(node)
        return None if found is None else found.value

    def _may_hand_in(self, call: ast.Call) -> bool:
        """Tell whether what is called between may have arguments of its own for what is wrapped."""
        between = self._value(call.func)
        if isinstance(between, MethodType):
            return between.__func__ is self._wrapped
        is_known = between is not None and between is not UNKNOWN
        return not is_known or isinstance(between, (partial, FunctionType))

    def _positional(self, call: ast.Call) -> int | None:
        """Return how many arguments come before the caller's; None where that is not known."""
        items = list(call.args)
        for index, item in enumerate(items):
            if self._is_wrapped(item):  # call(wrapped, *args) has what is before it for itself
                items = items[index + 1 :]
                break
        count = 0
        while items and (self._rest is None or _starred(items[0]) != self._rest):
            item = items.pop(0)
            value = self._value(item) if isinstance(item, ast.Starred) else (item,)
            if not isinstance(value, tuple):
                return None
            count += len(value)
        return None if items[1:] else count

    def _by_name(self, call: ast.Call) -> frozenset[str] | None:
        """Return the names of what is handed in by name; None where they are not known."""
        names: set[str] = set()
        for keyword in call.keywords:
            if keyword.arg is not None:
                names.add(keyword.arg)
            elif _starred(keyword) != self._named:
                value = self._value(keyword.value)
                if type(value) is not dict or not all(isinstance(key, str) for key in value):
                    return None
                names.update(value)
        return frozenset(names)


def _starred(node: ast.AST) -> str | None:
    """Return `name` of `*name` and `**name`, None of anything else."""
    match node:
        case ast.Starred(value=ast.Name(id=name)) | ast.keyword(arg=None, value=ast.Name(id=name)):
            return name
    return None


def _may_skip(node: Definition, call: ast.Call) -> bool:
    """Tell whether the code may end without a call in it."""
    returns = (each for each in ast.walk(node) if isinstance(each, ast.Return))
    is_after_return = any((each.end_lineno or 0) < call.lineno for each in returns)
    return is_after_return or any(call in _below(branch) for branch in _branches(node))


def _branches(node: ast.AST) -> Iterator[ast.AST]:
    for each in ast.walk(node):
        for kind, fields in _BRANCHES.items():
            if isinstance(each, kind):
                for field in fields:
                    yield from _listed(getattr(each, field))
        if isinstance(each, ast.BoolOp):
            yield from each.values[1:]


def _listed(nodes: ast.AST | list[ast.AST]) -> Iterable[ast.AST]:
    return nodes if isinstance(nodes, list) else [nodes]


def _below(node: ast.AST) -> set[ast.AST]:
    return set(ast.walk(node))
