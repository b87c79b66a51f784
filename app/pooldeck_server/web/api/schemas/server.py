"""The server itself as the API shows it."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from pooldeck_server.domain.pools.controls import ServerRun, StartReport
from pooldeck_server.web.api.schemas.types import Timestamp, timestamp


class ServerInfo(Struct, frozen=True):
    """This run of the server; `last_start` is what its start found and did."""

    version: Annotated[str, Meta(description="Of Pooldeck.", examples=["0.1.0"])]
    started_at: Timestamp
    state: Annotated[str, Meta(extra_json_schema={"enum": ["starting", "ready", "draining"]})]
    last_start: StartReport | None

    @classmethod
    def of(cls, run: ServerRun, version: str, state: str) -> Self:
        """Return a run of the server as the API shows it."""
        return cls(version, timestamp(run.started_at), state, run.report)
