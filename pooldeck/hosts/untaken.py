"""Why a host is not part of its server yet, in words for who has started it."""

import ssl
from typing import Final

from msgspec import Struct

_NOT_SIGNED: Final = frozenset({18, 19, 20, 21})
"""Codes of OpenSSL where no authority that is known has signed a certificate."""


class TurnedAwayError(OSError):
    """The server has said that it does not take the host; the text is its sentence."""


class ClosedAtOnceError(OSError):
    """The server has closed the connection before it has said anything."""


class Secured(Struct, frozen=True):
    """What secures the connections of a host: files, as they are named to it."""

    authority: str | None = None
    certificate: str | None = None

    def why(self, error: Exception) -> str:
        """Return what follows the name of a host of which a try to be taken has failed."""
        if isinstance(error, TurnedAwayError):
            return f"was refused: {error}"
        return f"has no server yet: {self._why_none(error)}"

    def _why_none(self, error: Exception) -> str:
        match error:
            case ssl.SSLCertVerificationError(verify_code=code) if code in _NOT_SIGNED:
                return f"the server's certificate is not signed by {self.authority}"
            case ssl.SSLCertVerificationError():
                return f"the server's certificate is not good: {error.verify_message}"
            case ClosedAtOnceError():
                return f"the server closed the connection without a word: {self._perhaps}"
            case ssl.SSLError() | ConnectionResetError() if self.authority is not None:
                return f"no TLS could be begun: perhaps the server speaks none ({error})"
            case TimeoutError():
                return "the server does not answer in time"
        return str(error) or type(error).__name__

    @property
    def _perhaps(self) -> str:
        if self.authority is None:
            return "perhaps it wants TLS, for which the host must be told the authority"
        if self.certificate is None:
            return "perhaps it wants to see a certificate of this host"
        return f"perhaps {self.certificate} is not signed by the authority that it trusts"
