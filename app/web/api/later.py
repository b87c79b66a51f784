"""Calls of the contract that are not built yet: known, so that nobody takes them for a typo."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.errors import NotAvailableYet

_CALLS: Final = (
    ("POST", "/tasks/cancel"),
    ("POST", "/tasks/retry"),
    ("POST", "/tasks/{task_id}/retry"),
    ("GET", "/tasks/{task_id}/stack"),
    ("PATCH", "/pools/{name}"),
    ("POST", "/pools/{name}/restart"),
    ("POST", "/pools/{name}/drain"),
    ("POST", "/workers/{id}/kill"),
    ("GET", "/incidents"),
    ("GET", "/incidents/{id}"),
)


def install(router: APIRouter, prefix: str) -> None:
    """Let `router` answer each of these calls with 501."""
    router.routes.extend(
        Route(f"{prefix}{path}", _refuse, methods=[method], include_in_schema=False)
        for method, path in _CALLS
    )


async def _refuse(request: Request) -> Response:
    raise NotAvailableYet(f"{request.method} {request.url.path} is not available yet")
