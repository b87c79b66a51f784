"""What routes answer to exceptions: each is handed to `errors`, which says how it looks."""

from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from pooldeck_server.domain.errors import InvalidRequest, PooldeckError, RequestTimeout
from pooldeck_server.web.http.errors import STATUS, from_starlette, internal, problem
from pooldeck_server.web.http.routes import Routes


def install(routes: Routes) -> None:
    routes.add_exception_handler(PooldeckError, _known)
    routes.add_exception_handler(HTTPException, from_starlette)
    routes.add_exception_handler(RequestValidationError, _from_fastapi)
    routes.add_exception_handler(ClientDisconnect, _gone)
    routes.add_exception_handler(Exception, _unexpected)


async def _gone(_: Request, __: Exception) -> Response:
    """Answer nobody: who went away in the middle of a body is no defect of the server."""
    return Response(status_code=STATUS[RequestTimeout])


async def _unexpected(_: Request, error: Exception) -> Response:
    return internal(error)


async def _known(_: Request, error: Any) -> Response:
    return problem(error)


async def _from_fastapi(_: Request, error: Any) -> Response:
    """Answer what FastAPI finds wrong with a parameter of the query or the path."""
    first = error.errors()[0]
    place, *names = first["loc"]
    name = ".".join(str(part) for part in names) or place
    unknown = first["type"] == "extra_forbidden"
    message = "there is no such parameter" if unknown else first["msg"]
    return problem(InvalidRequest(f"{name}: {message}", parameter=name))
