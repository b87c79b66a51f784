"""`pooldeck change`: what a task that has not started will do."""

from typing import Annotated, Any

import typer

from pooldeck_server.command_line.complaint import WRONG, Complaint
from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.ages import moment_of
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.completion import pools
from pooldeck_server.remote.formats import moment
from pooldeck_server.remote.naming import TaskId, whole_id
from pooldeck_server.remote.server import RemoteServer
from pooldeck_server.remote.values import read_array, read_object


@remote
def change(
    server: RemoteServer,
    output: Output,
    *,
    task_id: TaskId,
    priority: Annotated[int | None, typer.Option(help="-100 to 100, higher first")] = None,
    run_now: Annotated[
        bool, typer.Option("--run-now", help="run it as soon as a slot is free")
    ] = False,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="when to run it, or in 30s, 5m, 2h, 3d")
    ] = None,
    pool: Annotated[str | None, typer.Option(help="where to run it", autocompletion=pools)] = None,
    args: Annotated[
        str | None, typer.Option(metavar="JSON", help="all arguments by position: an array")
    ] = None,
    kwargs: Annotated[
        str | None, typer.Option(metavar="JSON", help="all arguments by name: an object")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="why; it is kept in the record")] = None,
) -> int:
    """Change a task that has not started: its priority, time, pool or arguments.

    What is left out stays as it is. Either what is said here is what runs, or the server refuses
    it, since the task has started or ended.

    Exit codes: 0 done, 2 wrong arguments, 4 the server refused it.
    """
    if run_now and at is not None:
        raise Complaint("say --run-now or --at: not both", exit_code=WRONG)
    given: dict[str, Any] = {"priority": priority, "pool": pool}
    given["run_at"] = None if at is None else moment_of(at, ahead=True)
    given["args"] = None if args is None else read_array(args)
    given["kwargs"] = None if kwargs is None else read_object(kwargs)
    body = {name: value for name, value in given.items() if value is not None}
    if run_now:
        body["run_at"] = None
    if not body:
        raise Complaint(
            "say what to change: --priority, --run-now, --at, --pool, --args or --kwargs",
            exit_code=WRONG,
        )
    if reason:
        body["reason"] = reason
    task = server.patch(f"/tasks/{whole_id(server, task_id)}", body)
    if output.is_json:
        output.json(task)
    else:
        waits = task["state"] == "scheduled" and task["run_at"]
        when = f" for {moment(task['run_at'])}" if waits else ""
        output.line(
            f"task {task['id']} is {task['state']}{when} in {task['pool']}, with priority "
            f"{task['priority']}"
        )
    return 0
