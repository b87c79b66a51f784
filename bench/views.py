"""What is looked at in a store: every page of the dashboard, lists and searches, each timed.

A page is named by its route, with what it is filtered by behind it; what it is about is taken from
the store.
"""

import datetime as dt
import statistics
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from bench.load import Plan, generate, get
from bench.processes import Pooldeck

PAGES: Final = (
    "/",
    "/?period=7d",
    "/chart",
    "/chart?period=7d",
    "/misplaced",
    "/timeline",
    "/timeline?span=604800",
    "/timeline.json?from={week_ago}&to={now}",
    "/pools",
    "/pools/{name}/size?size=3",
    "/pools/{name}/drain",
    "/pools/{name}/restart",
    "/pools/{name}/unschedulable",
    "/workers/{worker}/log",
    "/workers/{worker_id}/kill",
    "/tasks",
    "/tasks?state=failed",
    "/tasks?sort=finished",
    "/tasks?sort=run",
    "/tasks?sort=run&tag=nightly",
    "/tasks?since=24h",
    "/tasks?tag=nightly&state=lost",
    "/tasks?q=order+77",
    "/tasks/cancel?state=queued",
    "/tasks/retry?state=failed",
    "/tasks/delete?state=failed",
    "/tasks/delete?function=bench.functions.echo",
    "/tasks/{task_id}",
    "/tasks/{task_id}/log",
    "/logs?q=order",
    "/tasks/{task_id}/delete",
    "/complete.json?q=ni",
    "/functions",
    "/functions/{name}",
    "/functions/{name}/placement?pool=io",
    "/pipelines",
    "/experiments",
    "/experiments/new",
    "/incidents",
    "/errors",
    "/errors/{group_id}",
    "/shared",
    "/drain",
    "/retention",
    "/actions",
    "/alerts",
    "/tokens",
    "/metrics",
)
"""Pages, by the templates of their routes."""

NOT_LOOKED_AT: Final = {
    "/healthz": "reads nothing",
    "/readyz": "reads nothing",
    "/login": "reads nothing",
    "/login/oidc": "leads away",
    "/login/oidc/callback": "leads back",
    "/openapi.json": "the same for every store",
    "/docs": "the same for every store",
    "/docs/{group}": "the same for every store",
    "/tasks/{task_id}/{name}.json": "a part of the page of the task",
    "/tasks/{task_id}/log.txt": "a part of the page of the task",
    "/failing": "a part of the deck",
    "/notices": "a part of each page",
    "/tasks/{task_id}/stack": "of a task that runs: a worker answers",
    "/tasks/{task_id}/kill": "of a task that runs",
    "/pools/{name}/hosts/{host}/end": "of a host that is attached",
    "/tasks/{task_id}/edit": "of a task that waits: a form",
    "/functions/{name}/hold": "a question",
    "/functions/{name}/pause": "a question",
    "/time-zone": "the same for every store",
    "/pipelines/{pipeline_id}": "the store has none",
    "/pipelines/{pipeline_id}/cancel": "the store has none",
    "/experiments/{experiment_id}": "the store has none",
    "/incidents/{incident_id}": "the store has none",
    "/restored": "of a copy only",
    "/tokens/{name}/revoke": "the store has none",
}
"""Why some pages are not looked at."""

LISTS: Final = {
    "list": "",
    "list, 500": "limit=500",
    "queued": "state=queued",
    "failed or lost": "state=failed&state=lost",
    "one function, failed": "function=bench.functions.echo&state=failed",
    "one pool": "pool=held",
    "a tag": "tag=nightly",
    "a tag, failed": "tag=nightly&state=failed",
    "a kind of error": "error=exception",
    "a group of errors": "group={group_id}",
    "before a time": "until=2100-01-01T00:00:00Z",
    "text found": "q=occupy",
    "text found nowhere": "q=nowhere",
    "text, frequent": "q=order",
    "text, rare": "q=order+123456",
    "text and state": "q=order&state=failed",
}
"""Lists and searches, by their words and the query of `/api/v1/tasks`."""


def views(server: Pooldeck) -> dict[str, str]:
    """Return the path of each view by its name, of those that there is something for in a store."""
    about = _about(server)
    pages = {f"page {page}": _filled(page, about) for page in PAGES}
    lists = {
        name: _filled(f"/api/v1/tasks?{query}".rstrip("?"), about) for name, query in LISTS.items()
    }
    return {name: path for name, path in (pages | lists).items() if path is not None}


def look(server: Pooldeck, paths: Mapping[str, str], times: int) -> dict[str, float]:
    """Return the median of each view in ms, asked for in turn on one connection."""
    for path in paths.values():
        server.fetch(path)  # the first looks find cold caches; and what fails is named
    requests = [get(path) for path in paths.values()]
    latencies = generate(Plan(server.port, requests, len(requests) * times), wanted=[200]).latencies
    return {
        name: 1000 * statistics.median(latencies[place :: len(requests)])
        for place, name in enumerate(paths)
    }


def _about(server: Pooldeck) -> dict[str, str]:
    """Return what stands for each parameter of a path; of many failed tasks one in the middle."""
    tasks = (
        server.get("/api/v1/tasks?state=failed&limit=500")["items"]
        or server.get("/api/v1/tasks?limit=500")["items"]
    )
    groups = server.get("/api/v1/errors")["items"]
    worker = server.get("/api/v1/pools/cpu")["workers"][0]["id"]
    known = {"pools": "cpu", "functions": "bench.functions.noop"}
    known |= {"worker": worker, "worker_id": worker}
    now = dt.datetime.now(dt.UTC)
    known |= {"now": now.isoformat(), "week_ago": (now - dt.timedelta(days=7)).isoformat()}
    if tasks:
        known["task_id"] = tasks[len(tasks) // 2]["id"]
    if groups:
        known["group_id"] = groups[0]["id"]
    return known


def _filled(template: str, about: Mapping[str, str]) -> str | None:
    """Return a path with what stands for its parameters; None if one of them is not known."""
    known = {key: quote(text) for key, text in about.items()}
    known["name"] = known.get(template.split("/")[1], "")  # of the kind that the path begins with
    try:
        return template.format_map(known)
    except KeyError:
        return None
