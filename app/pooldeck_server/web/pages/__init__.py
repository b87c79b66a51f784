"""The pages for people, a folder for each screen: its routes, what they read, what they show.

What people change goes through plain forms that work without JavaScript: a POST, and a redirect to
the page that says what was done.
"""

from fastapi import APIRouter

from pooldeck_server.web.pages import language
from pooldeck_server.web.pages.deck import routes as deck
from pooldeck_server.web.pages.errors import routes as errors
from pooldeck_server.web.pages.experiments import routes as experiments
from pooldeck_server.web.pages.functions import list_routes as function_list
from pooldeck_server.web.pages.functions import routes as functions
from pooldeck_server.web.pages.incidents import routes as incidents
from pooldeck_server.web.pages.pipelines import routes as pipelines
from pooldeck_server.web.pages.pools import routes as pools
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared_state import routes as shared_state
from pooldeck_server.web.pages.task import changes as task_changes
from pooldeck_server.web.pages.task import routes as task
from pooldeck_server.web.pages.tasks import bulk
from pooldeck_server.web.pages.tasks import routes as tasks
from pooldeck_server.web.pages.timeline import routes as timeline

router = APIRouter(include_in_schema=False, route_class=PageRoute)
for part in (
    deck,
    bulk,
    tasks,
    task,
    task_changes,
    function_list,
    functions,
    pipelines,
    pools,
    incidents,
    errors,
    experiments,
    language,
    timeline,
    shared_state,
):
    router.include_router(part.router)
