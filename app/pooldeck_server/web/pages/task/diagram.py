"""A task's journey as a drawing: the states with their places, the ways between them.

The same drawing is laid out twice, wide for a desk and tall for a phone; the page shows the one
that fits. Units are pixels. What belongs to the path is marked as taken, and stands on top.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol

from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.pages.task.journey import ENDS, Journey, JourneyStop

_MAIN: Final = (State.SCHEDULED, State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class DiagramBox:
    """Where a state stands: its left upper corner, and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Return the height of its middle."""
        return self.y + self.height / 2

    @property
    def centre(self) -> float:
        """Return how far its middle is from the left."""
        return self.x + self.width / 2

    @property
    def right(self) -> float:
        """Return where it ends."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Return where it ends below."""
        return self.y + self.height


@dataclass(frozen=True)
class Node:
    """A state in its box."""

    stop: JourneyStop
    box: DiagramBox


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


class Layout(Protocol):
    """A way to place the states and to draw what joins them."""

    @property
    def name(self) -> str:
        """Return what style sheets call it."""

    @property
    def width(self) -> int:
        """Return how wide the drawing is."""

    @property
    def height(self) -> int:
        """Return how high the drawing is."""

    def box(self, state: State) -> DiagramBox:
        """Return where a state stands."""

    def step(self, start: DiagramBox, end: DiagramBox) -> str:
        """Draw the way from one state to the next of the main line."""

    def branch(self, running: DiagramBox, end: DiagramBox) -> str:
        """Draw the way from running to an end."""

    def bypass(self, start: DiagramBox, end: DiagramBox) -> str:
        """Draw the way to an end that leaves running out."""

    def loop(self, running: DiagramBox, queued: DiagramBox) -> Loop:
        """Draw the way back from running to queued."""


@dataclass(frozen=True)
class Diagram:
    """The drawing in one layout."""

    layout: Layout
    nodes: tuple[Node, ...]
    edges: tuple[DiagramEdge, ...]
    loop: Loop | None


def diagram(way: Journey, layout: Layout) -> Diagram:
    """Return a journey as `layout` draws it."""
    edges = (*_steps(way, layout), *_branches(way, layout), *_bypass(way, layout))
    boxes = {state: layout.box(state) for state in State}
    return Diagram(
        layout=layout,
        nodes=tuple(Node(stop, boxes[stop.state]) for stop in way.stops),
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
