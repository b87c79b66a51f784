"""How a command names a task: by its id, or by the beginning of it that no other has."""

from typing import Annotated, Final, TypeAlias

import typer

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.remote.completion import functions, pools, tasks
from pooldeck_server.remote.server import RemoteServer

WHOLE: Final = 36
"""Characters of an id."""

_SHOWN: Final = 5  # ids that a beginning fits

TaskId: TypeAlias = Annotated[
    str, typer.Argument(metavar="ID", help="of the task, or its beginning", autocompletion=tasks)
]
FunctionName: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="FUNCTION", help="its name, such as acme.jobs.thumbnail", autocompletion=functions
    ),
]
PoolName: TypeAlias = Annotated[
    str, typer.Argument(metavar="POOL", help="the name of the pool", autocompletion=pools)
]


def whole_id(server: RemoteServer, beginning: str) -> str:
    """Return the id of the task that is meant.

    Raises:
        Complaint: If there is none, or if several begin so.
    """
    if len(beginning) >= WHOLE:
        return beginning.lower()
    wanted = beginning.lower()
    items = server.get("/tasks", {"q": wanted, "limit": 500})["items"] if wanted else []
    found = [str(each["id"]) for each in items if each["id"].startswith(wanted)]
    if not found:
        raise Complaint(f"there is no task whose id begins with {beginning!r}")
    if len(found) > 1:
        some = ", ".join(found[:_SHOWN])
        raise Complaint(f"{len(found)} tasks have ids that begin with {beginning}: {some}, …")
    return found[0]
