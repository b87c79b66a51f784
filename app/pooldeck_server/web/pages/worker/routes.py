"""The log of a worker itself: what cannot be any single task's, also when the worker is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Request, Response

from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.pools.hosts import host_of, pool_of
from pooldeck_server.domain.tasks.log import LogWindow, StoredLine
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import MAX_NUMBER, ServerDep
from pooldeck_server.web.pages.shared.log_lines import LOG_LINES
from pooldeck_server.web.pages.shared.rendering import Page, page_router, render

router = page_router()


@dataclass(frozen=True)
class WorkerLogView(Page):
    """Lines of a worker's own log, in order; `earlier` leads to those before, if there are any."""

    template = "worker/log.html"
    section = "pools"

    worker: str
    pool: str
    host: str | None
    lines: Sequence[StoredLine]
    earlier: str | None
    latest: str
    is_end: bool  # whether the last line there is stands among them


@router.get("/workers/{worker}/log")
async def log(
    request: Request,
    server: ServerDep,
    worker: str,
    *,
    before: Annotated[int | None, Query(ge=1, le=MAX_NUMBER)] = None,
) -> Response:
    if not await server.read(queries.is_worker, worker):
        raise NotFound(f"there is no worker {worker}")
    window = LogWindow(LOG_LINES + 1, before=before)
    lines = await server.read(queries.worker_log, worker, window)
    return render(request, _view(worker, lines, window))


def _view(worker: str, found: Sequence[StoredLine], window: LogWindow) -> WorkerLogView:
    lines, address = found[-LOG_LINES:], f"/workers/{quote(worker)}/log"
    return WorkerLogView(
        worker=worker,
        pool=pool_of(worker),
        host=host_of(worker),
        lines=lines,
        earlier=f"{address}?before={lines[0].n}" if len(found) > LOG_LINES else None,
        latest=address,
        is_end=window.before is None,
    )
