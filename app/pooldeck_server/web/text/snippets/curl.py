"""A call as a line for curl."""

import shlex
from typing import Final

from pooldeck_server.web.text.snippets.call import Address, Call, Snippet, on_one_line

_NEXT_LINE: Final = " \\\n  "
_AUTHORIZATION: Final = '-H "Authorization: Bearer $POOLDECK_TOKEN"'
_JSON: Final = "-H 'Content-Type: application/json'"


def curl(address: Address, call: Call) -> Snippet:
    """Return a call for curl; a token is taken from the environment of the shell."""
    url = shlex.quote(f"{address.url}{call.target}")
    parts = [f"curl -sS {_method(call)}{url}"]
    if address.asks_token:
        parts.append(_AUTHORIZATION)
    if call.body is not None:
        parts += [_JSON, f"-d {shlex.quote(on_one_line(call.body.decode()))}"]
    return Snippet("curl", _NEXT_LINE.join(parts))


def _method(call: Call) -> str:
    usual = "GET" if call.body is None else "POST"
    return "" if call.method == usual else f"-X {call.method} "
