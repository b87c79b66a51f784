"""Lines of logs on pages."""

from typing import Final

LOG_LINES: Final = 200
"""How many lines of a log a page shows at once."""
