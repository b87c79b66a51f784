"""Who may do what over HTTP: one table of all routes, and nothing is allowed that is not in it.

A route is named by its template and its method. A path that fits several templates needs what all
of them need. What a rule does not say is refused: a route that is added without a row cannot be
reached, and one whose row does not say otherwise is closed to those who see only a part. What
somebody may see within an answer is decided by `http.sight`.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.access import Principal, Role


class RouteRule(Struct, frozen=True):
    """What a route asks of a principal.

    `least` is the least role; None lets in everybody, also who has shown nothing. Those who see no
    values come in only with `without_values`, and those who are limited to some functions or pools
    only with `limited`: the route then shows no more than what is theirs.
    """

    least: Role | None
    without_values: bool = False
    limited: bool = False

    def refusal(self, principal: Principal) -> str | None:
        """Return why a principal is refused, in words; None if it is let in."""
        if self.least is None:
            return None
        if not principal.role.includes(self.least):
            name, role = principal.name, principal.role
            return f"this needs the role {self.least}, and {name} has the role {role}"
        if principal.is_limited and not self.limited:
            return f"{principal.name} is limited to some functions or pools, and this is about all"
        if not principal.values and not self.without_values:
            return (
                f"{principal.name} may not see arguments, results and messages, and this has some"
            )
        return None

    def allows(self, principal: Principal) -> bool:
        return self.refusal(principal) is None


OPEN: Final = RouteRule(None)
_ANYONE: Final = RouteRule(Role.VIEWER, without_values=True, limited=True)
_OVERVIEW: Final = RouteRule(Role.VIEWER, without_values=True)
_OWN_VALUES: Final = RouteRule(Role.VIEWER, limited=True)
_VALUES: Final = RouteRule(Role.VIEWER)
_OWN_TASKS: Final = RouteRule(Role.OPERATOR, limited=True)
_OPERATE: Final = RouteRule(Role.OPERATOR)
_ADMIN: Final = RouteRule(Role.ADMIN)

_API: Final = "/api/v1"

RULES: Final[Mapping[str, Mapping[str, RouteRule]]] = {
    # What machines and people need before they are let in.
    "/healthz": {"GET": OPEN},
    "/readyz": {"GET": OPEN},
    "/login": {"GET": OPEN, "POST": OPEN},
    "/login/oidc": {"GET": OPEN},
    "/login/oidc/callback": {"GET": OPEN},
    "/language": {"POST": OPEN},
    # What everybody gets who was let in.
    "/logout": {"POST": _ANYONE},
    "/time-zone": {"GET": _ANYONE, "POST": _ANYONE},
    "/openapi.json": {"GET": _ANYONE, "HEAD": _ANYONE},
    "/docs": {"GET": _ANYONE},
    "/docs/{group}": {"GET": _ANYONE},
    # Tasks.
    f"{_API}/tasks": {"GET": _ANYONE, "POST": _OWN_TASKS},
    f"{_API}/tasks/export": {"GET": _ANYONE},
    f"{_API}/tasks/batch": {"POST": _OWN_TASKS},
    f"{_API}/tasks/cancel": {"POST": _OWN_TASKS},
    f"{_API}/tasks/retry": {"POST": _OWN_TASKS},
    f"{_API}/tasks/delete": {"POST": _ADMIN},
    f"{_API}/tasks/{{task_id}}": {"GET": _ANYONE, "PATCH": _OWN_TASKS, "DELETE": _ADMIN},
    f"{_API}/tasks/{{task_id}}/keep": {"POST": _OPERATE},
    f"{_API}/tasks/{{task_id}}/unkeep": {"POST": _OPERATE},
    f"{_API}/tasks/{{task_id}}/attempts": {"GET": _ANYONE},
    f"{_API}/tasks/{{task_id}}/logs": {"GET": _OWN_VALUES},
    f"{_API}/tasks/{{task_id}}/stack": {"GET": _OWN_VALUES},
    f"{_API}/tasks/{{task_id}}/cancel": {"POST": _OWN_TASKS},
    f"{_API}/tasks/{{task_id}}/retry": {"POST": _OWN_TASKS},
    f"{_API}/logs": {"GET": _VALUES},
    "/logs": {"GET": _VALUES},
    f"{_API}/watches": {"POST": _ANYONE},
    f"{_API}/watches/{{watch}}": {"POST": _ANYONE},
    "/tasks": {"GET": _ANYONE},
    "/tasks/columns": {"POST": _ANYONE},
    "/complete.json": {"GET": _OVERVIEW},
    "/tasks/cancel": {"GET": _OWN_TASKS, "POST": _OWN_TASKS},
    "/tasks/retry": {"GET": _OWN_TASKS, "POST": _OWN_TASKS},
    "/tasks/chosen/cancel": {"POST": _OWN_TASKS},
    "/tasks/chosen/retry": {"POST": _OWN_TASKS},
    "/tasks/delete": {"GET": _ADMIN, "POST": _ADMIN},
    "/tasks/chosen/delete": {"POST": _ADMIN},
    "/tasks/{task_id}": {"GET": _ANYONE},
    "/tasks/{task_id}/log": {"GET": _OWN_VALUES},
    "/tasks/{task_id}/log.txt": {"GET": _OWN_VALUES},
    "/tasks/{task_id}/{name}.json": {"GET": _OWN_VALUES},
    "/tasks/{task_id}/stack": {"GET": _OWN_VALUES},
    "/tasks/{task_id}/kill": {"GET": _OWN_TASKS, "POST": _OWN_TASKS},
    "/tasks/{task_id}/cancel": {"POST": _OWN_TASKS},
    "/tasks/{task_id}/retry": {"POST": _OWN_TASKS},
    "/tasks/{task_id}/edit": {"GET": _OWN_TASKS, "POST": _OWN_TASKS},
    "/tasks/{task_id}/run-now": {"POST": _OWN_TASKS},
    "/tasks/{task_id}/delete": {"GET": _ADMIN, "POST": _ADMIN},
    "/tasks/{task_id}/keep": {"POST": _OPERATE},
    "/tasks/{task_id}/unkeep": {"POST": _OPERATE},
    # What needs attention.
    f"{_API}/notices": {"GET": _OVERVIEW},
    f"{_API}/notices/seen": {"POST": _OPERATE},
    f"{_API}/notices/unseen": {"POST": _OPERATE},
    "/notices": {"GET": _OVERVIEW},
    "/notices/seen": {"POST": _OPERATE},
    "/notices/unseen": {"POST": _OPERATE},
    # Functions, and what measurements say of them.
    f"{_API}/functions": {"GET": _ANYONE},
    f"{_API}/functions/{{name}}": {"GET": _ANYONE},
    f"{_API}/functions/{{name}}/advice": {"GET": _VALUES},
    f"{_API}/functions/{{name}}/hold": {"POST": _OPERATE},
    f"{_API}/functions/{{name}}/pause": {"POST": _OPERATE},
    f"{_API}/functions/{{name}}/resume": {"POST": _OPERATE},
    f"{_API}/functions/{{name}}/release": {"POST": _OPERATE},
    f"{_API}/functions/{{name}}/placement": {"POST": _OPERATE},
    f"{_API}/advice": {"GET": _VALUES},
    "/functions": {"GET": _VALUES},
    "/functions/{name}": {"GET": _VALUES, "POST": _OPERATE},
    "/functions/{name}/hold": {"GET": _OPERATE, "POST": _OPERATE},
    "/functions/{name}/pause": {"GET": _OPERATE, "POST": _OPERATE},
    "/functions/{name}/resume": {"POST": _OPERATE},
    "/functions/{name}/release": {"POST": _OPERATE},
    "/functions/{name}/snippets": {"POST": _OPERATE},
    "/functions/{name}/placement": {"GET": _OPERATE, "POST": _OPERATE},
    # Pipelines and experiments.
    f"{_API}/pipelines": {"GET": _VALUES, "POST": _OPERATE},
    f"{_API}/pipelines/{{name}}": {"GET": _VALUES},
    f"{_API}/pipelines/{{name}}/cancel": {"POST": _OPERATE},
    "/pipelines": {"GET": _VALUES},
    "/pipelines/{pipeline_id}": {"GET": _VALUES},
    "/pipelines/{pipeline_id}/cancel": {"GET": _OPERATE, "POST": _OPERATE},
    f"{_API}/experiments": {"GET": _VALUES, "POST": _OPERATE},
    f"{_API}/experiments/{{name}}": {"GET": _VALUES},
    f"{_API}/experiments/{{name}}/stop": {"POST": _OPERATE},
    "/experiments": {"GET": _VALUES, "POST": _OPERATE},
    "/experiments/new": {"GET": _OPERATE},
    "/experiments/{experiment_id}": {"GET": _VALUES},
    "/experiments/{experiment_id}/stop": {"POST": _OPERATE},
    # Pools and workers.
    f"{_API}/pools": {"GET": _ANYONE},
    f"{_API}/pools/{{name}}": {"GET": _ANYONE, "PATCH": _OPERATE},
    f"{_API}/pools/{{name}}/advice": {"GET": _OVERVIEW},
    f"{_API}/pools/{{name}}/restart": {"POST": _OPERATE},
    f"{_API}/pools/{{name}}/drain": {"POST": _OPERATE},
    f"{_API}/pools/{{name}}/cancel-unschedulable": {"POST": _OPERATE},
    f"{_API}/hosts": {"GET": _ANYONE},
    f"{_API}/pools/{{name}}/hosts/{{host}}/drain": {"POST": _OPERATE},
    f"{_API}/pools/{{name}}/hosts/{{host}}/end": {"POST": _OPERATE},
    f"{_API}/workers/{{name}}/kill": {"POST": _OPERATE},
    f"{_API}/workers/{{name}}/logs": {"GET": _VALUES},
    "/pools": {"GET": _OVERVIEW},
    "/pools/{name}/size": {"GET": _OPERATE},
    "/pools/{name}/resize": {"POST": _OPERATE},
    "/pools/{name}/hosts": {"POST": _OPERATE},
    "/pools/{name}/pause": {"POST": _OPERATE},
    "/pools/{name}/resume": {"POST": _OPERATE},
    "/pools/{name}/drain": {"GET": _OPERATE, "POST": _OPERATE},
    "/pools/{name}/restart": {"GET": _OPERATE, "POST": _OPERATE},
    "/pools/{name}/unschedulable": {"GET": _OPERATE, "POST": _OPERATE},
    "/pools/{name}/hosts/{host}/drain": {"POST": _OPERATE},
    "/pools/{name}/hosts/{host}/end": {"GET": _OPERATE, "POST": _OPERATE},
    "/workers/{worker}/log": {"GET": _VALUES},
    "/workers/{worker_id}/kill": {"GET": _OPERATE, "POST": _OPERATE},
    # What went wrong.
    f"{_API}/incidents": {"GET": _VALUES},
    f"{_API}/incidents/{{name}}": {"GET": _VALUES},
    f"{_API}/errors": {"GET": _VALUES},
    f"{_API}/errors/{{name}}": {"GET": _VALUES},
    f"{_API}/errors/{{name}}/retry": {"POST": _OPERATE},
    f"{_API}/errors/{{name}}/{{change}}": {"POST": _OPERATE},
    "/incidents": {"GET": _VALUES},
    "/incidents/{incident_id}": {"GET": _VALUES},
    "/errors": {"GET": _VALUES},
    "/errors/{group_id}": {"GET": _VALUES},
    "/errors/{group_id}/{change}": {"POST": _OPERATE},
    # The picture of the whole, live and over time.
    "/": {"GET": _OVERVIEW, "HEAD": _OVERVIEW},
    "/chart": {"GET": _OVERVIEW},
    "/failing": {"GET": _OVERVIEW},
    "/misplaced": {"GET": _OVERVIEW},
    "/timeline": {"GET": _OVERVIEW},
    "/timeline.json": {"GET": _OVERVIEW},
    f"{_API}/events": {"GET": _OVERVIEW},
    f"{_API}/history": {"GET": _OVERVIEW},
    f"{_API}/annotations": {"GET": _VALUES},
    f"{_API}/shared": {"GET": _VALUES},
    "/shared": {"GET": _VALUES},
    # The server.
    f"{_API}/server": {"GET": _OVERVIEW},
    "/metrics": {"GET": _OVERVIEW},
    f"{_API}/server/drain": {"POST": _ADMIN},
    f"{_API}/server/resume": {"POST": _ADMIN},
    "/drain": {"GET": _OVERVIEW, "POST": _ADMIN},
    "/drain/resume": {"POST": _ADMIN},
    f"{_API}/restored": {"POST": _ADMIN},
    "/restored": {"GET": _ADMIN, "POST": _ADMIN},
    f"{_API}/retention": {"GET": _OVERVIEW, "PUT": _ADMIN, "DELETE": _ADMIN},
    f"{_API}/retention/allow": {"POST": _ADMIN},
    f"{_API}/retention/vouch": {"POST": _ADMIN},
    f"{_API}/deletions/{{name}}": {"GET": _ADMIN},
    f"{_API}/deletions/{{name}}/stop": {"POST": _ADMIN},
    "/deletions/{name}/stop": {"POST": _ADMIN},
    "/retention": {"GET": _OVERVIEW, "POST": _ADMIN},
    "/retention/vouch": {"POST": _ADMIN},
    "/retention/reset": {"POST": _ADMIN},
    "/retention/allow": {"POST": _ADMIN},
    f"{_API}/actions": {"GET": _ADMIN},
    f"{_API}/actions/export": {"GET": _ADMIN},
    "/actions": {"GET": _ADMIN},
    f"{_API}/alerts": {"GET": _VALUES},
    f"{_API}/alerts/rules/{{name}}": {"PATCH": _ADMIN},
    f"{_API}/alerts/destinations": {"GET": _ADMIN, "POST": _ADMIN},
    f"{_API}/alerts/destinations/{{number}}": {"PATCH": _ADMIN, "DELETE": _ADMIN},
    f"{_API}/alerts/destinations/{{number}}/enable": {"POST": _ADMIN},
    f"{_API}/alerts/destinations/{{number}}/disable": {"POST": _ADMIN},
    f"{_API}/alerts/destinations/{{number}}/rotate": {"POST": _ADMIN},
    f"{_API}/alerts/destinations/{{number}}/test": {"POST": _ADMIN},
    f"{_API}/alerts/deliveries": {"GET": _ADMIN},
    f"{_API}/alerts/deliveries/{{number}}/retry": {"POST": _ADMIN},
    f"{_API}/alerts/callbacks": {"GET": _ADMIN},
    f"{_API}/alerts/callbacks/enable": {"POST": _ADMIN},
    f"{_API}/alerts/callbacks/disable": {"POST": _ADMIN},
    f"{_API}/alerts/callbacks/rotate": {"POST": _ADMIN},
    f"{_API}/alerts/callbacks/{{number}}/retry": {"POST": _ADMIN},
    "/alerts": {"GET": _ADMIN},
    "/alerts/rules/{name}": {"POST": _ADMIN},
    "/alerts/destinations": {"POST": _ADMIN},
    "/alerts/destinations/{number}/{change}": {"POST": _ADMIN},
    "/alerts/deliveries/{number}/retry": {"POST": _ADMIN},
    "/alerts/callbacks/{change}": {"POST": _ADMIN},
    "/alerts/callbacks/{number}/retry": {"POST": _ADMIN},
    f"{_API}/tokens": {"GET": _ADMIN, "POST": _ADMIN},
    f"{_API}/tokens/{{name}}": {"DELETE": _ADMIN},
    "/tokens": {"GET": _ADMIN, "POST": _ADMIN},
    "/tokens/{name}/revoke": {"GET": _ADMIN, "POST": _ADMIN},
}
"""What each route asks, by its template and its method; static files stand beside it."""

STATIC: Final = "/static/"
_MOST_REMEMBERED: Final = 200  # characters of a path: strangers send what they like
_PART: Final = re.compile(r"\{[a-z_]+\}")


def rules_at(path: str) -> Mapping[str, tuple[RouteRule, ...]]:
    """Return what stands at a path: for each method, what all templates ask that the path fits.

    A slash at its end leads to the same place, as the router has it. At a path with a line break is
    nothing, since the router would overlook one at the end, nor at one that leads upwards.
    """
    exact = _EXACT.get(path)
    if exact is not None:
        return exact
    return _remembered(path) if len(path) <= _MOST_REMEMBERED else _found(path)


def _found(path: str) -> Mapping[str, tuple[RouteRule, ...]]:
    if "\n" in path or ".." in path.split("/"):
        return {}
    if path.startswith(STATIC):
        return {"GET": (OPEN,), "HEAD": (OPEN,)}
    asked = path.rstrip("/") or "/"
    return _joined(each for form, each in _FORMS if form.fullmatch(asked))


_remembered = lru_cache(maxsize=4096)(_found)


def _joined(found: Iterable[Mapping[str, RouteRule]]) -> Mapping[str, tuple[RouteRule, ...]]:
    joined: dict[str, tuple[RouteRule, ...]] = {}
    for each in found:
        for method, rule in each.items():
            joined[method] = (*joined.get(method, ()), rule)
    return joined


def refusal(method: str, path: str, principal: Principal) -> str | None:
    """Return why a principal may not do something, in words; None if it may.

    Raises:
        KeyError: If there is no such route.
    """
    for rule in rules_at(path)[method]:
        why = rule.refusal(principal)
        if why is not None:
            return why
    return None


def may(method: str, path: str, principal: Principal) -> bool:
    """Tell whether a principal may do something; False too where there is no such route."""
    rules = rules_at(path).get(method, ())
    return bool(rules) and all(rule.allows(principal) for rule in rules)


def _form(template: str) -> re.Pattern[str]:
    """Return what the router takes for a template: any text without a slash for each parameter."""
    parts = map(re.escape, _PART.split(template))
    return re.compile("[^/]+".join(parts))


_FORMS: Final = tuple((_form(template), rules) for template, rules in RULES.items())
_EXACT: Final = {
    template: _joined(rules for form, rules in _FORMS if form.fullmatch(template))
    for template in RULES
    if "{" not in template
}
