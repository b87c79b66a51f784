"""The server itself as the API shows it."""

from typing import Annotated

from msgspec import Meta, Struct

from pooldeck_server.domain.pools.controls import StartReport
from pooldeck_server.web.api.schemas.types import Timestamp


class ServerInfo(Struct, frozen=True):
    """This run of the server; `last_start` is what its start found and did."""

    version: Annotated[str, Meta(description="Of Pooldeck.", examples=["0.1.0"])]
    started_at: Timestamp
    state: Annotated[str, Meta(extra_json_schema={"enum": ["starting", "ready", "draining"]})]
    last_start: StartReport | None
