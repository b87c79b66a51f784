"""What the calls of the web are given: the server, and parameters that several of them take."""

from typing import Annotated, TypeAlias

from fastapi import Depends, Path, Query

from pooldeck_server.domain.tasks.submission import MAX_WAIT
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.http.application import server_of
from pooldeck_server.web.http.sight import Sight, sight_of

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
MAX_NUMBER = 2**63 - 1  # the largest integer that the database takes


ServerDep: TypeAlias = Annotated[Server, Depends(server_of)]
SightDep: TypeAlias = Annotated[Sight, Depends(sight_of)]
TaskIdPath: TypeAlias = Annotated[str, Path(description="The task's id.")]
NamePath: TypeAlias = Annotated[str, Path(description="The name, exactly.")]
Wait: TypeAlias = Annotated[
    float,
    Query(ge=0, le=MAX_WAIT, description="Wait for the task's end, at most so many seconds."),
]
After: TypeAlias = Annotated[
    int, Query(ge=0, le=MAX_NUMBER, description="`next_after` of the part before.")
]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items of one page.")]
