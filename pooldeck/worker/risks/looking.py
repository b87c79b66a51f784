"""Looks at a registered function, and at the helpers of its module that it uses."""

import ast
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import chain
from types import FunctionType
from typing import Any, Final, NamedTuple

from pooldeck.risks import Risk
from pooldeck.worker.risks.helpers import layers
from pooldeck.worker.risks.reader import Reader
from pooldeck.worker.risks.scopes import scope_of
from pooldeck.worker.risks.shared_use import uses_shared
from pooldeck.worker.risks.sources import Sources

_MOST_RISKS: Final = 20
_MOST_FUNCTIONS: Final = 50  # the registered one and its helpers, the nearest first
_DIGEST_BYTES: Final = 8


class Seen(NamedTuple):
    """What was seen in a function, None where it could not be read; and a digest of its code.

    `shares`: it, or a helper of it, uses shared state.
    """

    risks: tuple[Risk, ...] | None
    code: str
    shares: bool = False


def look(call: Callable[..., Any], sources: Sources) -> Seen:
    """Return what a registered function does that its calls would share, and a digest of its code.

    It never fails: a function that cannot be read can be called all the same.
    """
    try:
        return _look(list(layers(call)), sources)
    except Exception:  # noqa: BLE001 - whatever is registered, looking at it must not refuse it
        return Seen(None, "")


def _look(first: Sequence[FunctionType], sources: Sources) -> Seen:
    read = _read(first, sources)
    helpers = chain.from_iterable(reader.uses for reader in read.values())
    shares = any(map(uses_shared, chain(first, helpers)))
    if not first or not {id(each) for each in first} <= read.keys():
        return Seen(None, "", shares)
    found = {risk for reader in read.values() for risk in reader.risks()}
    risks = sorted(found, key=lambda risk: (risk.line, risk.kind, risk.what))
    return Seen(
        tuple(risks[:_MOST_RISKS]), _digest([reader.node for reader in read.values()]), shares
    )


def _read(first: Sequence[FunctionType], sources: Sources) -> dict[int, Reader]:
    """Return what was read, by the id of the function: breadth first, so that the bound is fair."""
    waiting, known = deque(first), {id(each) for each in first}
    read: dict[int, Reader] = {}
    while waiting and len(read) < _MOST_FUNCTIONS:
        function = waiting.popleft()
        node = sources.find(function)
        if node is None:
            continue
        reader = Reader(function.__code__.co_name, scope_of(function, node), node)
        reader.read()
        read[id(function)] = reader
        for each in reader.uses:
            if id(each) not in known:
                known.add(id(each))
                waiting.append(each)
    return read


def _digest(nodes: Sequence[ast.AST]) -> str:
    """Return a digest of what code does, wherever it stands and whatever its comments say."""
    text = "\0".join(map(ast.dump, nodes))
    return blake2b(text.encode(errors="replace"), digest_size=_DIGEST_BYTES).hexdigest()
