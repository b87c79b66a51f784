"""A task's journey as a drawing: the states with their places, the ways between them.

The same drawing is laid out twice, wide for a desk and tall for a phone; the page shows the one
that fits. Units are pixels, `d` is the language of SVG paths. What belongs to the path is marked as
taken, and stands on top.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.pages.task.journey import ENDS, Journey, JourneyStop

_MAIN: Final = (State.SCHEDULED, State.QUEUED, State.RUNNING)
_PLACES: Final = {state: place for place, state in enumerate(_MAIN)}
_TIP: Final = "l-4,5m4,-5l4,5"  # of an arrow that points upwards
_TIP_LEFT: Final = "l5,-4m-5,4l5,4"


@dataclass(frozen=True)
class DiagramBox:
    """Where a state stands: its left upper corner, and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def centre(self) -> float:
        return self.x + self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True)
class DiagramEdge:
    """A way between two states: the `d` of an SVG path."""

    d: str
    is_taken: bool


@dataclass(frozen=True)
class Loop:
    """The way back for another attempt, and where its words stand."""

    d: str
    x: float
    y: float
    anchor: str


@dataclass(frozen=True)
class _Wide:
    """From left to right, the ends below each other; the way back runs below."""

    name: str = "wide"
    width: int = 726
    height: int = 142

    def box(self, state: State) -> DiagramBox:
        if state in _PLACES:
            return DiagramBox(1 + 174 * _PLACES[state], 47, 138, 48)
        return DiagramBox(523, 1 + 36 * ENDS.index(state), 202, 30)

    def step(self, start: DiagramBox, end: DiagramBox) -> str:
        return f"M{start.right:g},{start.middle:g}H{end.x:g}"

    def branch(self, running: DiagramBox, end: DiagramBox) -> str:
        half = (running.right + end.x) / 2
        return (
            f"M{running.right:g},{running.middle:g}"
            f"C{half:g},{running.middle:g} {half:g},{end.middle:g} {end.x:g},{end.middle:g}"
        )

    def bypass(self, start: DiagramBox, end: DiagramBox) -> str:
        turn, past = start.y - 20, self.box(State.RUNNING).right
        half = (past + end.x) / 2
        return (
            f"M{start.centre:g},{start.y:g}V{turn + 10:g}q0,-10 10,-10H{past:g}"
            f"C{half:g},{turn:g} {half:g},{end.middle:g} {end.x:g},{end.middle:g}"
        )

    def loop(self, running: DiagramBox, queued: DiagramBox) -> Loop:
        down = f"M{running.centre:g},{running.bottom:g}v15q0,10 -10,10"
        back = f"H{queued.centre + 10:g}q-10,0 -10,-10V{queued.bottom + 2:g}{_TIP}"
        middle = (running.centre + queued.centre) / 2
        return Loop(down + back, x=middle, y=running.bottom + 41, anchor="middle")


@dataclass(frozen=True)
class _Tall:
    """From top to bottom, the ends as a list under it; the way back runs on the right."""

    name: str = "tall"
    width: int = 320
    height: int = 318

    def box(self, state: State) -> DiagramBox:
        if state in _PLACES:
            return DiagramBox(24, 1 + 64 * _PLACES[state], 150, 44)
        return DiagramBox(84, 187 + 33 * ENDS.index(state), 202, 29)

    def step(self, start: DiagramBox, end: DiagramBox) -> str:
        return f"M{start.centre:g},{start.bottom:g}V{end.y:g}"

    def branch(self, running: DiagramBox, end: DiagramBox) -> str:
        trunk = running.x + 30
        return f"M{trunk:g},{running.bottom:g}V{end.middle - 8:g}q0,8 8,8H{end.x:g}"

    def bypass(self, start: DiagramBox, end: DiagramBox) -> str:
        left = start.x - 16
        return (
            f"M{start.x:g},{start.middle:g}H{left + 8:g}q-8,0 -8,8"
            f"V{end.middle - 8:g}q0,8 8,8H{end.x:g}"
        )

    def loop(self, running: DiagramBox, queued: DiagramBox) -> Loop:
        out = f"M{running.right:g},{running.middle:g}h12q10,0 10,-10"
        back = f"V{queued.middle + 10:g}q0,-10 -10,-10H{queued.right + 2:g}{_TIP_LEFT}"
        middle = (running.middle + queued.middle) / 2
        return Loop(out + back, x=running.right + 30, y=middle + 4, anchor="start")


WIDE: Final = _Wide()
TALL: Final = _Tall()
Layout: TypeAlias = _Wide | _Tall
"""A way to place the states, and to draw what joins them.

`step` leads from one state of the main line to the next, `branch` from running to an end, `bypass`
to an end that leaves running out, and `loop` back from running to queued.
"""


@dataclass(frozen=True)
class Diagram:
    """The drawing in one layout."""

    layout: Layout
    nodes: Sequence[tuple[JourneyStop, DiagramBox]]
    edges: tuple[DiagramEdge, ...]
    loop: Loop | None


def diagram(way: Journey, layout: Layout) -> Diagram:
    edges = (*_steps(way, layout), *_branches(way, layout), *_bypass(way, layout))
    boxes = {state: layout.box(state) for state in State}
    return Diagram(
        layout=layout,
        nodes=[(stop, boxes[stop.state]) for stop in way.stops],
        edges=tuple(sorted(edges, key=lambda edge: edge.is_taken)),
        loop=layout.loop(boxes[State.RUNNING], boxes[State.QUEUED]) if way.earlier else None,
    )


def _steps(way: Journey, layout: Layout) -> list[DiagramEdge]:
    return [
        DiagramEdge(
            layout.step(layout.box(start), layout.box(end)),
            is_taken=start in way.taken and end in way.taken,
        )
        for start, end in pairwise(_MAIN)
    ]


def _branches(way: Journey, layout: Layout) -> list[DiagramEdge]:
    running = layout.box(State.RUNNING)
    has_run = State.RUNNING in way.taken
    return [
        DiagramEdge(layout.branch(running, layout.box(end)), is_taken=has_run and end in way.taken)
        for end in ENDS
    ]


def _bypass(way: Journey, layout: Layout) -> list[DiagramEdge]:
    """Return the way of a task that ended before it ran."""
    if State.RUNNING in way.taken or not set(ENDS).intersection(way.taken):
        return []
    start, end = way.taken[-2:]
    return [DiagramEdge(layout.bypass(layout.box(start), layout.box(end)), is_taken=True)]
