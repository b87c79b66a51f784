"""The HTTP API, version 1: thin calls over `app.runtime.service` and `app.store.queries`."""

from fastapi import APIRouter

from app.web.api import functions, later, live, pools, submit, tasks
from app.web.application import Application

_PREFIX = "/api/v1"


def install(app: Application) -> None:
    """Add the calls of the API to `app`."""
    submit.install(app, _PREFIX)
    router = APIRouter(prefix=_PREFIX)
    for part in (tasks, functions, pools, live):
        router.include_router(part.router)
    app.include_router(router)
    later.install(app.router, _PREFIX)
