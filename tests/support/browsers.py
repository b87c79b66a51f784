"""The browser of this machine that tests and pictures are made with."""

import shutil
from typing import Final

# The first one that is there. The shell is the same browser without windows: a tenth of the CPU
# time for each new profile, of which nearly every test has one.
_CHROMIUM: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Return the path of a Chromium, or None where there is none on PATH."""
    return next(filter(None, map(shutil.which, _CHROMIUM)), None)
