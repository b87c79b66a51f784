"""The HTTP API, version 1: thin calls over `runtime.server` and `store.queries`."""

from fastapi import APIRouter

from pooldeck_server.web.api import (
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
    incidents,
    live,
    notices,
    pipelines,
    pools,
    retention,
    server,
    submit,
    tasks,
    tokens,
    watches,
    worker_logs,
)
from pooldeck_server.web.http.application import Application

_PREFIX = "/api/v1"
_PARTS = (
    tasks,
    changes,
    deletion,
    functions,
    advice,
    pipelines,
    pools,
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


def install(app: Application) -> None:
    submit.install(app, _PREFIX)
    router = APIRouter(prefix=_PREFIX)
    for part in _PARTS:
        router.include_router(part.router)
    app.include_router(router)
