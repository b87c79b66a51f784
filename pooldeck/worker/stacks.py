"""Stacks of running calls, as text.

The stack is read from another thread of the worker, which needs the GIL for it and nothing of the
call. Where C code holds the GIL, `protocol.STACK_SIGNAL` takes the place of this.
"""

import itertools
import sys
import traceback
from collections import deque
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

from pooldeck.protocol import Limits
from pooldeck.worker import failures
from pooldeck.worker.runs import Run

_FRAMES: Final = 1000

Place = tuple[FrameType, int]


def where(run: Run, limits: Limits) -> str | None:
    """Return the stack of a call from the user's code on, innermost frame last.

    Of an async function that waits, first the coroutines that wait for each other, then what its
    event loop does meanwhile. None if the call is not in the user's code.
    """
    try:
        waiting = list(_waiting(run.coroutine))
        running = list(_running(run.slot.ident))
        parts = [_text(waiting), _text(running)]
        return failures.joined("\nin its event loop:\n".join(filter(None, parts)), limits) or None
    except BaseException as error:  # noqa: BLE001 - sources are found by the user's import loaders
        return f"(its stack cannot be shown: formatting it raised {type(error).__name__})"


def _running(ident: int) -> Iterator[Place]:
    """Yield the places of a thread's stack behind the machinery that leads to the user's code."""
    frame = sys._current_frames().get(ident)  # noqa: SLF001 - the documented way to another stack
    places = reversed(list(traceback.walk_stack(frame))) if frame else iter(())
    inside = itertools.dropwhile(lambda place: not failures.is_machinery(place[0]), places)
    return itertools.dropwhile(lambda place: failures.is_machinery(place[0]), inside)


def _waiting(awaited: Any) -> Iterator[Place]:
    """Yield the places at which a coroutine, and each that it waits for, is suspended."""
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None or getattr(awaited, "cr_running", False):
            return
        yield frame, frame.f_lineno
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)


def _text(places: list[Place]) -> str:
    innermost = deque(places, maxlen=_FRAMES)
    return "".join(traceback.StackSummary.extract(iter(innermost)).format())
