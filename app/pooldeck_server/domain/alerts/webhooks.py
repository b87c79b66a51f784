"""Signatures as Standard Webhooks 1.0.0 has them: HMAC-SHA256 over id, time and body."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

_PREFIX: Final = "whsec_"
_BYTES: Final = 32  # the standard asks for 24 to 64


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signed_headers(
    message: str, second: int, body: bytes, signing: Iterable[str]
) -> dict[str, str]:
    """Return the headers that prove where a message comes from.

    Args:
        message: Its id, the same for each try.
        second: When it is sent, in seconds since the epoch.
        body: What is sent, to the byte.
        signing: The secrets, one signature for each: a receiver accepts any one.
    """
    content = f"{message}.{second}.".encode() + body
    return {
        "webhook-id": message,
        "webhook-timestamp": str(second),
        "webhook-signature": " ".join(_signature(content, secret) for secret in signing),
    }


def _signature(content: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
