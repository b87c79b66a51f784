"""Where `pool="auto"` sends a function, and why.

A function goes where its signature suggests, until a person places it elsewhere: what was measured
advises, and moves nothing. A task keeps the placement that it was submitted under.
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

_ADDRESSES: Final = frozenset({"url", "urls", "uri", "endpoint", "host", "hostname"})
"""Names of parameters of functions that ask another machine, and wait for its answer."""


class PlacementRule(StrEnum):
    """Why a function is where it is."""

    ONE_KIND = "one_kind"  # all pools are of one kind
    COROUTINE = "coroutine"  # it is an `async def`
    ADDRESS = "address"  # it has a parameter that is named like an address
    UNKNOWN = "unknown"  # nothing suggests anything
    MEASURED = "measured"  # by an earlier version, which moved functions: old tasks keep it
    BY_HAND = "by_hand"


class Placement(Struct, frozen=True, omit_defaults=True):
    """Where a function goes that leaves the choice to the server.

    `since` is None for where it starts. `hint` is the parameter that suggested it, and `before`
    where it was until somebody placed it. The rest is of tasks that an earlier version placed by
    what it had measured: the `verdict` with its `confidence`, how many `runs` it was drawn from,
    and what the move was expected to `gain` (a factor).
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

    @classmethod
    def from_json(cls, text: str) -> "Placement":
        return _decode(text)

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()


_decode: Final = msgspec.json.Decoder(Placement).decode


def first_placement(spec: FunctionSpec, kinds: Mapping[str, PoolKind]) -> Placement:
    """Return where a function starts; `kinds` has at least one pool, in the order of the settings.

    What waits belongs in threads; as long as nobody knows, a process is the safe choice, since
    nothing that a function does there can slow down another, take it along, or get at its data.
    """
    waiting = next((name for name, kind in kinds.items() if KINDS[kind].suits_waiting), None)
    alone = next((name for name, kind in kinds.items() if KINDS[kind].is_alone), None)
    if waiting is None or alone is None:
        return Placement(next(iter(kinds)), PlacementRule.ONE_KIND)
    if spec.is_async:
        return Placement(waiting, PlacementRule.COROUTINE)
    for parameter in spec.parameters:
        if parameter.name in _ADDRESSES:
            return Placement(waiting, PlacementRule.ADDRESS, hint=parameter.name)
    return Placement(alone, PlacementRule.UNKNOWN)
