"""What workers say that cannot be any single task's."""

from fastapi import APIRouter, Response

from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.tasks.log import LogWindow
from pooldeck_server.store import queries
from pooldeck_server.web.api.schemas.logs import WorkerLogLines
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, After, Limit, NamePath, ServerDep
from pooldeck_server.web.http.responses import READING, answer, bad, good

router = APIRouter(tags=["pools"])


@router.get(
    "/workers/{name}/logs", responses=good(WorkerLogLines, "Lines of the log.") | bad(*READING, 404)
)
async def list_worker_log_lines(
    server: ServerDep, name: NamePath, after: After = 0, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """Return a worker's own log, in order: what cannot be any single task's.

    That is what C code and programs wrote while several tasks ran in the worker or none, and what
    threads said that outlived their task. It is kept for a week, also when its worker is gone.
    """
    if not await server.read(queries.is_worker, name):
        raise NotFound(f"there is no worker {name}")
    lines = await server.read(queries.worker_log, name, LogWindow(limit, after=after))
    return answer(WorkerLogLines.of(lines, limit))
