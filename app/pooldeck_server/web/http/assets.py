"""The third-party browser code that the build brought in, checked before the server starts."""

import json
from pathlib import Path

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.resources import resource

_REMEDY = (
    "bring it in with `pip install --editable '.[server]'` in the checkout, "
    "or install Pooldeck again"
)


def check_assets(static: Path | None = None) -> None:
    """Make sure that all files of the build's list are in `static`, by default this installation's.

    Raises:
        StartupError: If files are missing from it; says which, and what to do.
    """
    vendor = (static or resource("static")) / "vendor"
    try:
        names = json.loads((vendor / "stamp.json").read_bytes())["files"]
    except (OSError, ValueError, LookupError):
        raise StartupError(f"the pages' browser code is missing from {vendor}: {_REMEDY}") from None
    if missing := [name for name in names if not (vendor / name).is_file()]:
        raise StartupError(f"{', '.join(missing)} missing from {vendor}: {_REMEDY}")
