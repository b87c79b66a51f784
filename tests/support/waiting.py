"""Waiting for something that only asking tells."""

import time
from collections.abc import Callable
from typing import Final

_FIRST: Final = 0.01  # seconds until the second question
_LONGEST: Final = 0.25  # seconds between two questions in the end


def eventually(is_so: Callable[[], bool], what: str = "it is so", seconds: float = 150.0) -> None:
    """Return soon after `is_so()`; it has `seconds` to become so.

    The longer it takes, the less often it is asked: whoever has to answer has work to do.
    """
    until = time.monotonic() + seconds
    pause = _FIRST
    while not is_so():
        assert time.monotonic() < until, f"it did not come to be that {what}"
        time.sleep(pause)
        pause = min(1.3 * pause, _LONGEST)
