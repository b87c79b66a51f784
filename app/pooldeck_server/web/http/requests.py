"""Each request as it is answered: counted by route and status, and a line of the log if asked for.

It is on the way of every submission, so it costs about a microsecond.
"""

import logging
from collections.abc import Mapping
from typing import Final

from starlette.types import Scope

from pooldeck_server.domain.log_subjects import about
from pooldeck_server.domain.measurements.cumulative import ANSWER_SECONDS, CumulativeHistogram
from pooldeck_server.web.http.mount import path_of
from pooldeck_server.web.http.principals import principal_of

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_STATIC: Final = "/static/"
_UNKNOWN: Final = "other"
_ROUTE: Final = "pooldeck.route"
_log = logging.getLogger(__name__)


def put_route(scope: Scope, route: str) -> None:
    """Say which route answers, where FastAPI does not choose it."""
    scope[_ROUTE] = route


class _RequestCount:
    """The requests of one method, route and status; those of all statuses share the histogram."""

    __slots__ = ("number", "seconds")

    def __init__(self, seconds: CumulativeHistogram) -> None:
        self.number = 0
        self.seconds = seconds


class Requests:
    """Requests since the start, and how long each waited for its answer to begin."""

    def __init__(self, *, says_each: bool = False) -> None:
        self._says_each = says_each
        self._paths: Mapping[int, str] | None = None  # of routes, by identity
        self._counted: dict[tuple[str, str, int], _RequestCount] = {}
        self.seconds: dict[tuple[str, str], CumulativeHistogram] = {}  # by method and route

    @property
    def counts(self) -> Mapping[tuple[str, str, int], int]:
        """Return how many there were, by method, route and status."""
        return {key: each.number for key, each in self._counted.items()}

    def note(self, scope: Scope, status: int, seconds: float) -> None:
        """Take down that an answer begins, `seconds` after its request came."""
        route = scope.get(_ROUTE) or self._route(scope)
        counted = self._counted.get((scope["method"], route, status))
        if counted is None:
            counted = self._new(scope["method"], route, status)
        counted.number += 1
        counted.seconds.add(seconds)
        if self._says_each:
            _say(scope, route, status, seconds)

    def _new(self, method: str, route: str, status: int) -> _RequestCount:
        """Return where requests of a kind are counted; methods that nobody knows are one kind."""
        if method not in _METHODS:
            method = _UNKNOWN
        histogram = self.seconds.setdefault((method, route), CumulativeHistogram(ANSWER_SECONDS))
        return self._counted.setdefault((method, route, status), _RequestCount(histogram))

    def _route(self, scope: Scope) -> str:
        """Return the template of the route that answers; `other` where there is none."""
        route = scope.get("route")
        if route is None:
            return _STATIC if path_of(scope).startswith(_STATIC) else _UNKNOWN
        if self._paths is None:
            # Whoever has chosen the route has loaded it.
            from fastapi.routing import iter_route_contexts  # noqa: PLC0415

            contexts = iter_route_contexts(scope["app"].routes)
            self._paths = {id(each.original_route): each.path or _UNKNOWN for each in contexts}
        return self._paths.get(id(route), _UNKNOWN)


def _say(scope: Scope, route: str, status: int, seconds: float) -> None:
    """Write a line without the query, which may hold words of arguments, or a way in."""
    client = scope["client"][0] if scope["client"] else "a socket"
    principal = principal_of(scope)
    who = principal.name if principal else None
    path = path_of(scope)
    _log.info(
        '%s %s "%s %s" %d in %.1f ms',
        client,
        who or "-",
        scope["method"],
        path,
        status,
        1000 * seconds,
        extra=about(
            client=client,
            principal=who,
            method=scope["method"],
            path=path,
            route=route,
            status=status,
            duration=round(seconds, 6),
        ),
    )
