"""The HTTP API, version 1: thin calls over `app.runtime.service` and `app.store.queries`."""

from fastapi import APIRouter

from app.web.api import (
    changes,
    errors,
    functions,
    history,
    incidents,
    live,
    pools,
    server,
    submit,
    tasks,
)
from app.web.application import Application

_PREFIX = "/api/v1"


def install(app: Application) -> None:
    """Add the calls of the API to `app`."""
    submit.install(app, _PREFIX)
    router = APIRouter(prefix=_PREFIX)
    for part in (tasks, changes, functions, pools, history, incidents, errors, live, server):
        router.include_router(part.router)
    app.include_router(router)
