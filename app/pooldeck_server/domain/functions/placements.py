"""Where `pool="auto"` sends a function, and why.

A function goes where its signature suggests, until a person places it elsewhere or measurements
move it, which they do only with its owner's word that it works there. A task keeps the placement
that it was submitted under.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from pooldeck.functions import FunctionSpec
from pooldeck.kinds import KINDS, PoolKind

AUTO: Final = "auto"
"""What a function or a submission names where it leaves the choice to the server."""


class PlacementRule(StrEnum):
    """Why a function is where it is."""

    ONE_KIND = "one_kind"  # all pools are of one kind
    COROUTINE = "coroutine"  # it is an `async def`
    PLAIN = "plain"  # it is any other function
    ADDRESS = "address"  # it had a parameter named like an address: of earlier versions
    UNKNOWN = "unknown"  # what PLAIN was called by earlier versions
    MEASURED = "measured"  # measurements moved it, with its owner's word
    BY_HAND = "by_hand"
    UNDONE = "undone"  # it was elsewhere, where it failed as it never had before


MOVES: Final = frozenset({PlacementRule.MEASURED, PlacementRule.BY_HAND})
"""The rules of placements that are undone where a function fails as it never has before."""


class Placement(Struct, frozen=True, omit_defaults=True):
    """Where a function goes that leaves the choice to the server.

    `since` is None for where it starts, and `before` where it was until it was moved. Of a move by
    measurements there are the `verdict` with its `confidence`, how many `runs` it was drawn from,
    what it was expected to `gain` (a factor), and how often measurements have `moves` it. Of one
    that was undone there are the type of the `error`, its `group`, the `task` that failed, and the
    digest of the `code` that did. `hint` is of earlier versions.
    """

    pool: str
    rule: PlacementRule
    since: int | None = None  # microseconds since the epoch
    hint: str | None = None
    verdict: str | None = None
    confidence: str | None = None
    runs: int | None = None
    gain: float | None = None
    before: str | None = None
    moves: int = 0
    error: str | None = None
    group: str | None = None
    task: str | None = None
    code: str | None = None

    @classmethod
    def from_json(cls, text: str) -> "Placement":
        return _decode(text)

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()

    @property
    def is_on_trial(self) -> bool:
        """Tell whether it is a move, which is undone where the function does not bear it."""
        return self.rule in MOVES and self.before not in {None, self.pool}

    def is_undone_for(self, code: str) -> bool:
        """Tell whether a move of a function with this digest was undone, and nobody decided yet."""
        return self.rule is PlacementRule.UNDONE and self.code == code

    def is_settled_for(self, code: str) -> bool:
        """Tell whether no measurement may move a function with this digest from here."""
        return self.rule is PlacementRule.BY_HAND or self.is_undone_for(code)


_decode: Final = msgspec.json.Decoder(Placement).decode


def first_placement(spec: FunctionSpec, kinds: Mapping[str, PoolKind]) -> Placement:
    """Return where a function starts; `kinds` has at least one pool, in the order of the settings.

    In a process nothing that a function does can slow down another, take it along, or get at its
    data. An `async def` says by its form that it mostly waits, and shares its thread with others
    wherever it runs outside of Pooldeck.
    """
    waiting = next((name for name, kind in kinds.items() if KINDS[kind].suits_waiting), None)
    alone = next((name for name, kind in kinds.items() if KINDS[kind].is_alone), None)
    if waiting is None or alone is None:
        return Placement(next(iter(kinds)), PlacementRule.ONE_KIND)
    if spec.is_async:
        return Placement(waiting, PlacementRule.COROUTINE)
    return Placement(alone, PlacementRule.PLAIN)


def is_vouched_for(spec: FunctionSpec, pool: str, kinds: Mapping[str, PoolKind]) -> bool:
    """Tell whether measurements may move a function to a pool.

    They may where its owner's word names the kind of the pool, and back to where it starts.
    """
    kind = kinds.get(pool)
    return kind is not None and (
        kind in spec.options.safe_in or pool == first_placement(spec, kinds).pool
    )
