"""What goes wrong with Dask, in sentences for people."""

import ssl
from collections.abc import Mapping
from typing import Final

from distributed.comm.core import CommClosedError

LONGEST_TEXT: Final = 500
"""How many characters of somebody else's words are told."""

ENDS: Final[Mapping[str, str]] = {
    "finished": "the agent ended without a word",
    "cancelled": "somebody cancelled the agent",
    "lost": "Dask lost the agent",
    "error": "the Dask workers below the agent died again and again, or it could not run there",
}
"""Why an agent ended that said nothing of it, by the state of its future."""


def in_words(error: Exception, scheduler: str) -> str:
    """Return why a scheduler cannot be reached."""
    if isinstance(error, TypeError | ssl.SSLError) or "ssl_context" in str(error):
        return f"{scheduler} needs certificates: set authority, certificate and key of its pool"
    if isinstance(error, CommClosedError):
        return f"{scheduler} closed the connection: it may want TLS (tls://), or none (tcp://)"
    if isinstance(error, OSError):
        return f"no scheduler answers at {scheduler}; it is tried again"
    return f"{scheduler} cannot be reached: {str(error)[:LONGEST_TEXT]}"
