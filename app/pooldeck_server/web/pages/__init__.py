"""The pages for people, a folder for each screen: its routes, what they read, what they show.

What people change goes through plain forms that work without JavaScript: a POST, and a redirect to
the page that says what was done.
"""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter

from pooldeck_server.web.http.routes import Routes
from pooldeck_server.web.pages import drain, language, notices, restored, shared_state, time_zone
from pooldeck_server.web.pages.actions import routes as actions
from pooldeck_server.web.pages.alerts import routes as alerts
from pooldeck_server.web.pages.deck import routes as deck
from pooldeck_server.web.pages.errors import routes as errors
from pooldeck_server.web.pages.experiments import routes as experiments
from pooldeck_server.web.pages.functions import routes as functions
from pooldeck_server.web.pages.incidents import routes as incidents
from pooldeck_server.web.pages.logs import routes as logs
from pooldeck_server.web.pages.pipelines import routes as pipelines
from pooldeck_server.web.pages.pools import routes as pools
from pooldeck_server.web.pages.reference import routes as reference
from pooldeck_server.web.pages.retention import routes as retention
from pooldeck_server.web.pages.task import edit_routes
from pooldeck_server.web.pages.task import routes as task
from pooldeck_server.web.pages.tasks import bulk
from pooldeck_server.web.pages.tasks import routes as tasks
from pooldeck_server.web.pages.timeline import routes as timeline
from pooldeck_server.web.pages.tokens import routes as tokens
from pooldeck_server.web.pages.worker import routes as worker
from pooldeck_server.web.text.i18n import _, later


@dataclass(frozen=True)
class Screen:
    """A screen: `name` is its icon's in static/img/icons.svg, `key` goes to it after a `g`."""

    router: APIRouter
    name: str
    path: str
    title: str
    key: str

    @property
    def label(self) -> str:
        return _(self.title)


NAVIGATION: Final = (
    Screen(deck.router, "deck", "/", later("Deck"), "d"),
    Screen(tasks.router, "tasks", "/tasks", later("Tasks"), "t"),
    Screen(timeline.router, "timeline", "/timeline", later("Timeline"), "l"),
    Screen(errors.router, "errors", "/errors", later("Errors"), "e"),
    Screen(incidents.router, "incidents", "/incidents", later("Incidents"), "i"),
    Screen(functions.router, "functions", "/functions", later("Functions"), "f"),
    Screen(pools.router, "pools", "/pools", later("Pools"), "p"),
    Screen(pipelines.router, "pipelines", "/pipelines", later("Pipelines"), "n"),
    Screen(experiments.router, "experiments", "/experiments", later("Experiments"), "x"),
    Screen(shared_state.router, "shared", "/shared", later("Shared"), "s"),
    Screen(actions.router, "actions", "/actions", later("Actions"), "c"),
    Screen(alerts.router, "alerts", "/alerts", later("Alerts"), "a"),
    Screen(reference.router, "reference", "/docs", later("API"), "r"),
)
"""The screens that are one click away, in their order."""

_OTHERS: Final = (
    *(notices.router, bulk.router, task.router, edit_routes.router, worker.router, logs.router),
    *(drain.router, restored.router, retention.router, tokens.router),
    *(language.router, time_zone.router),
)
"""Those that others lead to; the paths of `bulk` would fit those of a task, too."""


def install(routes: Routes) -> None:
    """Add the pages; their frame gets the navigation from `routes.state.navigation`."""
    for router in (*(screen.router for screen in NAVIGATION), *_OTHERS):
        routes.include_router(router)
    routes.state.navigation = NAVIGATION
