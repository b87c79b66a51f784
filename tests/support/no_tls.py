"""What clients of servers without TLS are made with."""

import ssl
from typing import Final

NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For `verify` of HTTPX: trusts nobody. Loading who is trusted takes each client 40 ms."""

PATIENCE: Final = 90.0
"""Seconds for an answer: on a busy machine a server's first page takes more than the 5 of HTTPX."""
