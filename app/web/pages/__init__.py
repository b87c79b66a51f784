"""The pages for people: each reads what its context needs and renders the template of its name.

What they change goes through plain forms that work without JavaScript: a POST, and a redirect to
the page that says what was done.
"""

from fastapi import APIRouter

from app.web.page_route import PageRoute
from app.web.pages import bulk, deck, function, functions, incidents, pools, task, tasks

router = APIRouter(include_in_schema=False, route_class=PageRoute)
for part in (deck, bulk, tasks, task, functions, function, pools, incidents):
    router.include_router(part.router)
