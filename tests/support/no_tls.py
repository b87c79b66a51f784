"""What clients of servers without TLS are made with."""

import ssl
from typing import Final

NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For `verify` of HTTPX: trusts nobody. Loading who is trusted takes each client 40 ms."""
