"""The HTTP API, version 1."""

from typing import Final

PREFIX: Final = "/api/v1"
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
    logs,
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
    logs,
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
