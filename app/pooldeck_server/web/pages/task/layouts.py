"""The two layouts of a task's diagram. Numbers are pixels; d is the language of SVG paths."""

from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.pages.task.diagram import DiagramBox, Loop
from pooldeck_server.web.pages.task.journey import ENDS

_PLACES: Final = {State.SCHEDULED: 0, State.QUEUED: 1, State.RUNNING: 2}
_TIP: Final = "l-4,5m4,-5l4,5"  # of an arrow that points upwards
_TIP_LEFT: Final = "l5,-4m-5,4l5,4"


@dataclass(frozen=True)
class Wide:
    """From left to right, the ends below each other; the way back runs below."""

    name: str = "wide"
    width: int = 726
    height: int = 142

    def box(self, state: State) -> DiagramBox:
        """Return where a state stands."""
        if state in _PLACES:
            return DiagramBox(1 + 174 * _PLACES[state], 47, 138, 48)
        return DiagramBox(523, 1 + 36 * ENDS.index(state), 202, 30)

    def step(self, start: DiagramBox, end: DiagramBox) -> str:
        """Draw the way from one state to the next of the main line."""
        return f"M{start.right:g},{start.middle:g}H{end.x:g}"

    def branch(self, running: DiagramBox, end: DiagramBox) -> str:
        """Draw the way from running to an end."""
        half = (running.right + end.x) / 2
        return (
            f"M{running.right:g},{running.middle:g}"
            f"C{half:g},{running.middle:g} {half:g},{end.middle:g} {end.x:g},{end.middle:g}"
        )

    def bypass(self, start: DiagramBox, end: DiagramBox) -> str:
        """Draw the way to an end that leaves running out: above it."""
        turn, past = start.y - 20, self.box(State.RUNNING).right
        half = (past + end.x) / 2
        return (
            f"M{start.centre:g},{start.y:g}V{turn + 10:g}q0,-10 10,-10H{past:g}"
            f"C{half:g},{turn:g} {half:g},{end.middle:g} {end.x:g},{end.middle:g}"
        )

    def loop(self, running: DiagramBox, queued: DiagramBox) -> Loop:
        """Draw the way back from running to queued."""
        down = f"M{running.centre:g},{running.bottom:g}v15q0,10 -10,10"
        back = f"H{queued.centre + 10:g}q-10,0 -10,-10V{queued.bottom + 2:g}{_TIP}"
        middle = (running.centre + queued.centre) / 2
        return Loop(down + back, x=middle, y=running.bottom + 41, anchor="middle")


@dataclass(frozen=True)
class Tall:
    """From top to bottom, the ends as a list under it; the way back runs on the right."""

    name: str = "tall"
    width: int = 320
    height: int = 318

    def box(self, state: State) -> DiagramBox:
        """Return where a state stands."""
        if state in _PLACES:
            return DiagramBox(24, 1 + 64 * _PLACES[state], 150, 44)
        return DiagramBox(84, 187 + 33 * ENDS.index(state), 202, 29)

    def step(self, start: DiagramBox, end: DiagramBox) -> str:
        """Draw the way from one state to the next of the main line."""
        return f"M{start.centre:g},{start.bottom:g}V{end.y:g}"

    def branch(self, running: DiagramBox, end: DiagramBox) -> str:
        """Draw the way from running to an end."""
        trunk = running.x + 30
        return f"M{trunk:g},{running.bottom:g}V{end.middle - 8:g}q0,8 8,8H{end.x:g}"

    def bypass(self, start: DiagramBox, end: DiagramBox) -> str:
        """Draw the way to an end that leaves running out: on its left."""
        left = start.x - 16
        return (
            f"M{start.x:g},{start.middle:g}H{left + 8:g}q-8,0 -8,8"
            f"V{end.middle - 8:g}q0,8 8,8H{end.x:g}"
        )

    def loop(self, running: DiagramBox, queued: DiagramBox) -> Loop:
        """Draw the way back from running to queued."""
        out = f"M{running.right:g},{running.middle:g}h12q10,0 10,-10"
        back = f"V{queued.middle + 10:g}q0,-10 -10,-10H{queued.right + 2:g}{_TIP_LEFT}"
        middle = (running.middle + queued.middle) / 2
        return Loop(out + back, x=running.right + 30, y=middle + 4, anchor="start")


WIDE: Final = Wide()
TALL: Final = Tall()
