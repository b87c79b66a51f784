"""The routes of the HTTP API, version 1: thin calls over `runtime.server` and `store.queries`."""

from fastapi import APIRouter

from pooldeck_server.web.api import (
    PREFIX,
    actions,
    advice,
    alerts,
    callbacks,
    changes,
    deletion,
    deletions,
    error_groups,
    experiments,
    functions,
    history,
    hosts,
    incidents,
    live,
    logs,
    notices,
    pipelines,
    pools,
    retention,
    server,
    submit_routes,
    tasks,
    tokens,
    watches,
    worker_logs,
)
from pooldeck_server.web.http.routes import Routes

_PARTS = (
    tasks,
    logs,
    changes,
    deletion,
    functions,
    advice,
    pipelines,
    pools,
    hosts,
    worker_logs,
    history,
    incidents,
    error_groups,
    experiments,
    alerts,
    callbacks,
    live,
    notices,
    watches,
    actions,
    retention,
    deletions,
    server,
    tokens,
)


def install(routes: Routes) -> None:
    """Add all calls."""
    submit_routes.install(routes, PREFIX)
    router = APIRouter(prefix=PREFIX)
    for part in _PARTS:
        router.include_router(part.router)
    routes.include_router(router)
