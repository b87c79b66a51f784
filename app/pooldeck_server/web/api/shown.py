"""Tasks on their way out: with what the server knows of them beyond their rows."""

from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.domain.tasks.waiting import TaskWait
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.api.schemas.tasks import Task


def shown_task(server: Server, task: StoredTask, waiting: TaskWait | None = None) -> Task:
    """Return a task as the API shows it, with when it goes, and why it waits where that is told."""
    return Task.of(task, server.retention.expires_at(task), waiting)
