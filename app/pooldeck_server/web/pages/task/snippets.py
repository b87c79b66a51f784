"""What can be copied from a task's page: what shows it, and what submits it again."""

from typing import Any

from fastapi import Request
from msgspec import Raw

from pooldeck.functions import RunOptions
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.http.rules import may
from pooldeck_server.web.http.sight import Sight
from pooldeck_server.web.pages.shared.snippets import (
    Snippets,
    address_of,
    of_submission,
    of_task,
)
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.json_escapes import unescaped
from pooldeck_server.web.text.snippets.call import API


def snippets(
    request: Request, task: StoredTask, function: RegisteredFunction | None, sight: Sight
) -> tuple[Snippets, ...]:
    """Return what can be copied; `task` as it may be shown, `function` if it can be called."""
    address = address_of(request)
    may_submit = may("POST", f"{API}/tasks", sight.principal)
    if function is None or not may_submit or task.args is None or task.kwargs is None:
        return (of_task(address, task.id),)
    wanted = Submission(
        task.function,
        Raw(unescaped(task.args).encode()),
        Raw(unescaped(task.kwargs).encode()),
        **_options(task, function),
    )
    again = of_submission("again-task", _("Submit the same again"), address, wanted, function)
    return (of_task(address, task.id), again)


def _options(task: StoredTask, function: RegisteredFunction) -> dict[str, Any]:
    """Return what its submission said of how it is run, as far as that is not usual."""
    usual, options = function.spec.options, RunOptions.from_json(task.options)
    found: dict[str, Any] = {"tags": task.tags}
    if task.placed is None and task.pool != function.pool:
        found["pool"] = task.pool
    if task.priority != usual.priority:
        found["priority"] = task.priority
    for name in ("timeout", "retries", "needs"):
        if (value := getattr(options, name)) != getattr(usual, name):
            found[name] = value
    return found
