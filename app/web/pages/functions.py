"""The list of functions."""

from fastapi import APIRouter, Request, Response

from app.store import queries
from app.web.contexts.functions import RELEASED, functions_context
from app.web.contexts.told import told
from app.web.dependencies import ServiceDep
from app.web.page_route import PageRoute
from app.web.pages.posting import done
from app.web.rendering import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/functions")
async def functions(request: Request, service: ServiceDep) -> Response:
    """Show what can be called, and what is on hold."""
    counts = await service.read(queries.counts)
    catalogue = service.catalogue
    context = functions_context(
        catalogue.functions(), counts, service.holds(), is_known=catalogue.is_known
    )
    context["told"] = told(request.query_params, RELEASED)
    return page(request, "functions", "functions.html", context)


@router.post("/functions/{name}/release")
async def release(service: ServiceDep, name: str) -> Response:
    """Let a function on hold run again."""
    await service.release(name)
    return done("/functions", "released")
