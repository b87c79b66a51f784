"""`pooldeck logs`: what a task has said, and says."""

from typing import Annotated

import typer

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.following import TaskLog, follow, with_time
from pooldeck_server.remote.naming import TaskId, whole_id
from pooldeck_server.remote.server import RemoteServer


@remote
def logs(
    server: RemoteServer,
    output: Output,
    *,
    task_id: TaskId,
    follow_it: Annotated[
        bool, typer.Option("--follow", "-f", help="go on until the task has ended")
    ] = False,
    attempt: Annotated[
        int | None, typer.Option(min=1, help="of which attempt [the latest]")
    ] = None,
    times: Annotated[
        bool, typer.Option("--times", "-t", help="with the time of each line")
    ] = False,
) -> int:
    """Print the log of a task; with --follow, of all its attempts, as it comes.

    With --json, each line is an object, as the API has it.
    """
    if follow_it and (attempt is not None or times or output.is_json):
        raise typer.BadParameter("--follow does not go with --attempt, --times and --json")
    name = whole_id(server, task_id)
    if follow_it:
        task = follow(server, output, name, output.line)
        output.note(f"{task['function']} {task['state']}")
        return 0
    _print(server, output, name, attempt, with_times=times)
    return 0


def _print(
    server: RemoteServer, output: Output, name: str, attempt: int | None, *, with_times: bool
) -> None:
    task = server.get(f"/tasks/{name}")
    wanted = task["attempt"] if attempt is None else attempt
    if wanted > task["attempt"]:
        raise Complaint(f"there is no attempt {wanted}: the task has had {task['attempt']}")
    for line in TaskLog(server.get, name, wanted).whole():
        if output.is_json:
            output.json_line(line)
        else:
            output.line(with_time(line) if with_times else line["message"])
