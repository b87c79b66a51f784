"""The layout of a graph: boxes in layers from left to right, with the ways between them.

The method is Sugiyama's in its simplest form: each box stands one layer behind the last of those
that it needs, ways over several layers get places of their own in those between, and the places of
a layer are in the order of the mean height of what leads to them. Units are pixels.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, TypeAlias

WIDTH: Final = 192  # of a box
HEIGHT: Final = 56
_GAP: Final = 48  # between layers
_ROW: Final = HEIGHT + 20
_LANE: Final = 26  # the height of a way that passes a layer
_MARGIN: Final = 8

_Slot: TypeAlias = tuple[str, ...]  # (box,), or (from, to, layer) of a way that passes


@dataclass(frozen=True)
class PlacedBox:
    """The left upper corner of a box."""

    x: float
    y: float


@dataclass(frozen=True)
class Way:
    """A way from one box to another: the `d` of an SVG path."""

    start: str
    end: str
    d: str


@dataclass(frozen=True)
class GraphLayout:
    """A graph with its places."""

    width: float
    height: float
    boxes: dict[str, PlacedBox]
    ways: tuple[Way, ...]


@dataclass
class _Layers:
    """The slots of each layer, and which slot leads to which."""

    level: dict[str, int]
    slots: defaultdict[int, list[_Slot]] = field(default_factory=lambda: defaultdict(list))
    before: defaultdict[_Slot, list[_Slot]] = field(default_factory=lambda: defaultdict(list))
    chains: dict[tuple[str, str], list[_Slot]] = field(default_factory=dict)
    heights: dict[_Slot, float] = field(default_factory=dict)  # of their middles


def layout(needs: Mapping[str, Sequence[str]]) -> GraphLayout:
    """Return where boxes stand; `needs` has for each those that lead to it, all of them earlier."""
    layers = _layered(needs)
    tall = max((_tall(slots) for slots in layers.slots.values()), default=0.0)
    for level in sorted(layers.slots):
        _arrange(layers, level, tall)
    boxes = {
        name: PlacedBox(_left(level), layers.heights[name,] - HEIGHT / 2)
        for name, level in layers.level.items()
    }
    ways = tuple(
        Way(start, end, _path(layers, chain)) for (start, end), chain in layers.chains.items()
    )
    wide = _left(max(layers.level.values(), default=0)) + WIDTH + _MARGIN
    return GraphLayout(wide, tall + 2 * _MARGIN, boxes, ways)


def _layered(needs: Mapping[str, Sequence[str]]) -> _Layers:
    layers = _Layers({})
    for name, before in needs.items():
        level = 1 + max((layers.level[each] for each in before), default=-1)
        layers.level[name] = level
        layers.slots[level].append((name,))
        for each in before:
            _lead(layers, each, name)
    return layers


def _lead(layers: _Layers, start: str, end: str) -> None:
    """Lead a way from one box to another, through a place in each layer between them."""
    chain: list[_Slot] = [(start,)]
    for level in range(layers.level[start] + 1, layers.level[end]):
        chain.append((start, end, str(level)))
        layers.slots[level].append(chain[-1])
    chain.append((end,))
    for one, next_ in pairwise(chain):
        layers.before[next_].append(one)
    layers.chains[start, end] = chain


def _arrange(layers: _Layers, level: int, tall: float) -> None:
    """Give the slots of a layer their heights, in the order of what leads to them."""
    slots = layers.slots[level]
    slots.sort(key=lambda slot: _mean([layers.heights[each] for each in layers.before[slot]]))
    y = _MARGIN + (tall - _tall(slots)) / 2
    for slot in slots:
        layers.heights[slot] = y + _high(slot) / 2
        y += _high(slot)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _high(slot: _Slot) -> float:
    return _ROW if len(slot) == 1 else _LANE


def _tall(slots: Sequence[_Slot]) -> float:
    return sum(map(_high, slots))


def _left(level: int) -> float:
    return _MARGIN + level * (WIDTH + _GAP)


def _path(layers: _Layers, chain: Sequence[_Slot]) -> str:
    """Draw a way: level through each layer that it passes, and a curve between layers."""
    level, y = layers.level[chain[0][0]], layers.heights[chain[0]]
    parts = [f"M{_left(level) + WIDTH:g},{y:g}"]
    for step, slot in enumerate(chain[1:], level + 1):
        x, to = _left(step), layers.heights[slot]
        half = x - _GAP / 2
        parts.append(f"C{half:g},{y:g} {half:g},{to:g} {x:g},{to:g}")
        if len(slot) > 1:
            parts.append(f"H{x + WIDTH:g}")
        y = to
    return "".join(parts)
