"""An app with a server beside it, mounted in each of the ways to let people in."""

import os
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI

import pooldeck
from tests.support.beside import MODULE, POOLS

_DATA: Final = Path(os.environ["DATA_OF_APP"])


async def _allow(scope: Any) -> bool:
    headers = dict(scope["headers"])
    return headers.get(b"x-user") == b"me" or b"user=me" in headers.get(b"cookie", b"").split(b"; ")


app = FastAPI()
deck = pooldeck.asgi(MODULE, data=_DATA / "deck", allow=_allow, pools=POOLS, grace_seconds=0)
app.mount("/deck", deck)
app.mount("/closed", pooldeck.asgi(MODULE, data=_DATA / "closed"))
app.mount("/asking", pooldeck.asgi(MODULE, data=_DATA / "asking", access="tokens", token="t" * 20))


def _merely_true(scope: Any) -> Any:  # noqa: ARG001 - as it is called
    return "yes"


app.mount("/truthy", pooldeck.asgi(MODULE, data=_DATA / "truthy", allow=_merely_true))


@app.get("/pid")
def process_id() -> int:
    return os.getpid()
