"""What can be asked of a server beside running tasks, as paths and bodies: for both clients."""

from typing import Any, NamedTuple

from pooldeck.client.changes import TaskChanges, change_body


class Question(NamedTuple):
    """A request: the method, the path below `/api/v1`, its body, its query, and more headers.

    `patience` is for how many seconds it is tried, unless the client itself was told.
    """

    method: str
    path: str
    body: Any = None
    query: dict[str, Any] | None = None
    headers: dict[str, str] | None = None
    patience: float | None = None


def task(task_id: str) -> Question:
    """Ask for the record of a task."""
    return Question("GET", f"/tasks/{task_id}")


def tasks(filters: dict[str, Any]) -> Question:
    """Ask for a page of tasks."""
    given = {name: value for name, value in filters.items() if value is not None}
    return Question("GET", "/tasks", query=given)


def change(task_id: str, changes: TaskChanges) -> Question:
    """Ask for changes of a task that has not started; raises as `change_body`."""
    return Question("PATCH", f"/tasks/{task_id}", change_body(changes))


def cancel(task_id: str, *, kill: bool, reason: str | None = None) -> Question:
    """Ask for the end of a task."""
    body: dict[str, Any] = {"kill": kill}
    return Question("POST", f"/tasks/{task_id}/cancel", body | _reason(reason))


def cancel_all(task_ids: list[str]) -> Question:
    """Ask for the end of many tasks."""
    return Question("POST", "/tasks/cancel", {"ids": task_ids})


def retry(task_id: str, reason: str | None = None) -> Question:
    """Ask for another run of a task that has ended."""
    return Question("POST", f"/tasks/{task_id}/retry", _reason(reason))


def logs(task_id: str, after: int, attempt: int | None) -> Question:
    """Ask for a page of the log of a task."""
    query: dict[str, Any] = {"after": after} if after else {}
    return Question(
        "GET",
        f"/tasks/{task_id}/logs",
        query=query if attempt is None else query | {"attempt": attempt},
    )


def _reason(reason: str | None) -> dict[str, str]:
    return {} if reason is None else {"reason": reason}
