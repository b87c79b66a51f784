"""The pages for people: each reads what its context needs and renders the template of its name.

What they change goes through plain forms that work without JavaScript: a POST, and a redirect to
the page that says what was done.
"""

from fastapi import APIRouter

from pooldeck_server.web.page_route import PageRoute
from pooldeck_server.web.pages import (
    bulk,
    deck,
    errors,
    experiments,
    function,
    functions,
    incidents,
    language,
    pipelines,
    pools,
    shared,
    task,
    task_changes,
    tasks,
    timeline,
)

router = APIRouter(include_in_schema=False, route_class=PageRoute)
for part in (
    deck,
    bulk,
    tasks,
    task,
    task_changes,
    functions,
    function,
    pipelines,
    pools,
    incidents,
    errors,
    experiments,
    language,
    timeline,
    shared,
):
    router.include_router(part.router)
