"""Lines of logs on pages, and which levels of them an address asks for."""

from typing import Final

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.log import LEVELS, Level

LOG_LINES: Final = 200
"""How many lines of a log a page shows at once."""


def read_level(text: str | None) -> Level | None:
    """Return the least level that an address asks for; None for all.

    Raises:
        InvalidRequest: If there is no such level.
    """
    found = next((level for level in LEVELS if level == text), None)
    if text and found is None:
        raise InvalidRequest(f"there is no level {text}; there are {', '.join(LEVELS)}")
    return found
