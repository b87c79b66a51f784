"""The HTTP API, version 1: thin calls over `runtime.server` and `store.queries`."""

from fastapi import APIRouter

from pooldeck_server.web.api import (
    advice,
    changes,
    error_groups,
    experiments,
    functions,
    history,
    incidents,
    live,
    pipelines,
    pools,
    server,
    submit,
    tasks,
)
from pooldeck_server.web.http.application import Application

_PREFIX = "/api/v1"
_PARTS = (
    tasks,
    changes,
    functions,
    advice,
    pipelines,
    pools,
    history,
    incidents,
    error_groups,
    experiments,
    live,
    server,
)


def install(app: Application) -> None:
    submit.install(app, _PREFIX)
    router = APIRouter(prefix=_PREFIX)
    for part in _PARTS:
        router.include_router(part.router)
    app.include_router(router)
