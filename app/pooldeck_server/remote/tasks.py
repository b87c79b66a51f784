"""`pooldeck tasks` and `pooldeck task`: the record, as a list and one by one."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Annotated, Any, Final, Literal

import typer

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.filters import filtered
from pooldeck_server.remote.formats import NOTHING, duration, known, moment
from pooldeck_server.remote.naming import TaskId, whole_id
from pooldeck_server.remote.server import RefusedError, RemoteServer

_PAGE: Final = 500
_USUAL: Final = 20
_LONGEST: Final = 200  # characters of a value in a list of facts
_LOG_LINES: Final = 10
_FORBIDDEN: Final = 403
_HEAD: Final = ("id", "state", "function", "pool", "submitted", ">ran", "what")


@remote
@filtered
def tasks(
    server: RemoteServer,
    output: Output,
    conditions: Mapping[str, Any],
    *,
    sort: Annotated[
        Literal["created", "finished", "run"],
        typer.Option(help="what comes first: the newest, what ended last, what ran longest"),
    ] = "created",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="how many")] = _USUAL,
    all_of_them: Annotated[bool, typer.Option("--all", help="all that fit, page by page")] = False,
) -> int:
    """List tasks, the newest first.

    Conditions of one name add up, different ones narrow: --state failed --state lost --pool cpu.
    With --json, each task is a line.

    Exit codes: 0 there are some, 1 there are none.
    """
    page = _PAGE if all_of_them else min(limit, _PAGE)
    found = _pages(server, {**conditions, "sort": sort}, page)
    chosen = found if all_of_them else islice(found, limit)
    is_empty = True
    while part := list(islice(chosen, _PAGE)):
        is_empty = False
        if output.is_json:
            for each in part:
                output.json_line(each)
        else:
            output.table(_HEAD, map(_row, part))
    if is_empty:
        raise Complaint("no task fits")
    return 0


def _pages(server: RemoteServer, params: Mapping[str, Any], limit: int) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        asked = {**params, "limit": limit} | ({"cursor": cursor} if cursor else {})
        page = server.get("/tasks", asked)
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _row(task: dict[str, Any]) -> tuple[str, ...]:
    return (
        task["id"],
        task["state"],
        task["function"],
        task["pool"],
        moment(task["created_at"]),
        duration(task["timing"]["run"]),
        _what(task),
    )


def _what(task: dict[str, Any]) -> str:
    """Return what a list says of a task beside its state: its error, or how far it is."""
    if error := task["error"]:
        return f"{error['type'] or error['kind']}: {error['message']}"[:_LONGEST]
    progress = task["progress"]
    if progress and task["state"] == "running":
        return f"{progress['fraction'] or 0:.0%} {progress['message'] or ''}".rstrip()
    waiting = task.get("waiting")
    return waiting["words"][:_LONGEST] if waiting else ""


@remote
def task(
    server: RemoteServer,
    output: Output,
    *,
    task_id: TaskId,
    is_short: Annotated[bool, typer.Option("--short", help="without traceback and log")] = False,
) -> int:
    """Show a task: what it was called with, what became of it, its attempts and its log's end.

    ID is its id, or the beginning of it that no other has.
    """
    found = server.get(f"/tasks/{whole_id(server, task_id)}")
    if output.is_json:
        output.json(found)
        return 0
    output.facts(_facts(found))
    if found["attempt"]:
        _show_attempts(server, output, found["id"], is_whole=not is_short)
    return 0


def _facts(task: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    error, worker, timing = task["error"], task["worker"], task["timing"]
    yield "task", task["id"]
    yield "function", task["function"]
    yield "state", task["state"]
    yield "pool", task["pool"]
    yield "args", _value(task["args"]) if task["args"] else None
    yield "kwargs", _value(task["kwargs"]) if task["kwargs"] else None
    yield "result", _value(task["result"]) if task["state"] == "succeeded" else None
    yield "error", f"{error['type'] or error['kind']}: {error['message']}" if error else None
    yield "progress", _what(task) if task["state"] == "running" else None
    yield "waits", waiting["words"] if (waiting := task.get("waiting")) else None
    yield "tags", ", ".join(task["tags"])
    yield "submitted", moment(task["created_at"])
    yield "runs at", moment(task["run_at"]) if task["run_at"] and not task["started_at"] else None
    yield "waited", duration(timing["queued"]) if timing["queued"] is not None else None
    yield "ran", duration(timing["run"]) if timing["run"] is not None else None
    yield "worker", f"{worker['id']} (pid {worker['pid']})" if worker else None
    yield "kept since", moment(task["kept_at"]) if task["kept_at"] else None


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"


def _show_attempts(server: RemoteServer, output: Output, task_id: str, *, is_whole: bool) -> None:
    attempts = server.get(f"/tasks/{task_id}/attempts")["items"]
    if len(attempts) > 1:
        output.line()
        output.table(
            (">attempt", "state", "started", ">ran", "worker", "error"), map(_attempt, attempts)
        )
    if not is_whole or not attempts:
        return
    error = attempts[-1]["error"]
    if error and error.get("traceback"):
        output.line()
        output.line(error["traceback"].rstrip())
    _show_log(server, output, task_id)


def _attempt(attempt: dict[str, Any]) -> tuple[str, ...]:
    error, worker = attempt["error"], attempt["worker"]
    return (
        str(attempt["attempt"]),
        attempt["state"],
        moment(attempt["started_at"]),
        duration(attempt["timing"]["run"]),
        worker["id"] if worker else NOTHING,
        known(error and (error["type"] or error["kind"])),
    )


def _show_log(server: RemoteServer, output: Output, task_id: str) -> None:
    """Print the last lines of the log; who may not see it is told nothing of it."""
    lines: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        try:
            page = server.get(f"/tasks/{task_id}/logs", {"after": after, "limit": _PAGE})
        except RefusedError as error:
            if error.status != _FORBIDDEN:
                raise
            return
        lines = (lines + page["items"])[-_LOG_LINES:]
        after = page["next_after"]
    if lines:
        output.line()
        last = "line" if len(lines) == 1 else f"{len(lines)} lines"
        output.line(f"log (its last {last}; all: pooldeck logs {task_id})")
    for line in lines:
        output.line(f"  {line['message']}")
