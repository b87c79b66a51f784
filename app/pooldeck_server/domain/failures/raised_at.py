"""Where an error was raised, as far as the text of its traceback tells: a file and a function.

The text is whatever a worker sent. It is looked at from where the error is, frame by frame, so that
the length of the rest does not matter.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

_LONGEST: Final = 200  # characters of a place
_MOST_FRAMES: Final = 200
_MARK: Final = 'File "'
_FRAME: Final = re.compile(r'File "([^"\n]{1,4096})", line \d{1,9},? in ([^\n]{1,200})')
_HEAD: Final = "Traceback (most recent call last)"
_MEMBERS: Final = "\n  +-+-"  # what follows are the members of an exception group
_FAULT: Final = "Current thread"  # what faulthandler writes of the thread that was at fault
_NOT_OWN: Final = re.compile(
    r"[\\/](?:site|dist)-packages[\\/]"
    r"|[\\/]lib[\\/]python\d[\d.]*[\\/]|[\\/]python\d+[\\/]lib[\\/]"
    r"|[\\/]pooldeck[\\/](?:worker[\\/])?\w+\.py$"
    r"|^<",
    re.IGNORECASE,
)


def place_of(traceback: str) -> str | None:
    """Return where an error was raised: the innermost frame that is the user's own code.

    It is the last two parts of the file's path, and the function: "acme/jobs.py:thumbnail". Without
    the number of the line, which changes with every edit above it. Where no frame is the user's
    own, the innermost one; None where there is no frame as Python or faulthandler prints it.
    """
    innermost = None
    for file, function in islice(_frames(traceback), _MOST_FRAMES):
        if not _NOT_OWN.search(file):
            return _named(file, function)
        innermost = innermost or _named(file, function)
    return innermost


def _frames(traceback: str) -> Iterator[tuple[str, str]]:
    """Yield file and function of each frame of the error itself, the innermost first."""
    fault = traceback.find(_FAULT)
    if fault >= 0:
        end = traceback.find("\n\n", fault)
        return _downwards(traceback, fault, len(traceback) if end < 0 else end)
    end = traceback.find(_MEMBERS)
    return _upwards(traceback, len(traceback) if end < 0 else end)


def _downwards(text: str, start: int, end: int) -> Iterator[tuple[str, str]]:
    for frame in _FRAME.finditer(text, start, end):
        yield frame[1], frame[2]


def _upwards(text: str, end: int) -> Iterator[tuple[str, str]]:
    start = max(0, text.rfind(_HEAD, 0, end))
    for _ in range(_MOST_FRAMES):
        end = text.rfind(_MARK, start, end)
        if end < 0:
            return
        if frame := _FRAME.match(text, end):
            yield frame[1], frame[2]


def _named(file: str, function: str) -> str:
    parts = re.split(r"[\\/]+", file)
    return f"{'/'.join(parts[-2:])}:{function}"[-_LONGEST:]
