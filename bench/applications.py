"""What a request costs without Pooldeck: the other sides of its figures for requests.

Served by uvicorn with uvloop and httptools in one process without an access log, as Pooldeck is.
"""

from datetime import datetime
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from starlette.types import Receive, Scope, Send


class Submission(BaseModel):
    """The body of a submission."""

    model_config = ConfigDict(extra="forbid")

    function: str
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    pool: str | None = None
    priority: int | None = None
    delay: float | None = None
    run_at: datetime | None = None
    tags: tuple[str, ...] = ()


empty = FastAPI()
"""An application that takes a submission, checks it, and does nothing with it."""


@empty.post("/api/v1/tasks", status_code=202)
async def submit(body: Submission) -> dict[str, str]:
    """Answer as if something had been done."""
    return {"function": body.function}


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 202 to everything: no more than uvicorn itself."""
    del scope
    while (await receive()).get("more_body", False):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})
