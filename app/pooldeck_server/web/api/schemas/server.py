"""The server itself as the API shows it."""

from typing import Annotated

from msgspec import Meta, Struct

from pooldeck_server.domain.copies import Word
from pooldeck_server.domain.pools.controls import StartReport
from pooldeck_server.domain.readiness import Readiness
from pooldeck_server.web.api.schemas.drains import DrainInfo
from pooldeck_server.web.api.schemas.types import Timestamp


class RestoredInfo(Struct, frozen=True):
    """A database that was put back from a backup: its `waiting` tasks wait for somebody's word.

    See `POST /api/v1/restored`.
    """

    backup_made_at: Timestamp
    waiting: Annotated[int, Meta(ge=0)]


class ServerInfo(Struct, frozen=True):
    """This run of the server; `last_start` is what its start found and did."""

    version: Annotated[str, Meta(description="Of Pooldeck.", examples=["0.1.0"])]
    started_at: Timestamp
    state: Readiness
    last_start: StartReport | None
    restored: RestoredInfo | None
    drain: DrainInfo | None


class Settled(Struct, frozen=True):
    """What became of so many tasks that had waited in a backup."""

    waiting: Word
    tasks: Annotated[int, Meta(ge=0)]
