"""Odd paths, queries, headers, cookies, forms and bodies, for each route that the app has."""

import random
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from http.client import HTTPException
from itertools import product
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote_from_bytes, urlsplit

from fastapi.routing import RouteContext, iter_route_contexts
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from starlette.routing import compile_path

from pooldeck_server.main import create_app
from pooldeck_server.settings import Settings
from tests.fuzz import odd
from tests.fuzz.effort import Effort
from tests.fuzz.judging import HOST, complaints, unguarded
from tests.fuzz.sending import Request
from tests.fuzz.target import BEARER, Target

_PARAMETER: Final = re.compile(r"{(\w+)(:\w+)?}")
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
_HEADERS: Final = (
    b"Accept",
    b"Accept-Encoding",
    b"Accept-Language",
    b"Content-Encoding",
    b"Cookie",
    b"Expect",
    b"Forwarded",
    b"Idempotency-Key",
    b"If-Modified-Since",
    b"If-None-Match",
    b"Last-Event-ID",
    b"Origin",
    b"Pooldeck-Watch",
    b"Range",
    b"Referer",
    b"Sec-Fetch-Site",
    b"User-Agent",
    b"X-Forwarded-For",
    b"X-Forwarded-Host",
    b"X-Forwarded-Prefix",
    b"X-Forwarded-Proto",
    b"X-HTTP-Method-Override",
)
_USUAL: Final = {
    b"Accept": [b"text/html", b"application/json", b"*/*"],
    b"Accept-Encoding": [b"gzip", b"identity;q=0"],
    b"Accept-Language": [b"zh-CN,zh;q=0.9", b"en"],
    b"Cookie": [b"pooldeck-language=zh_Hans", b"pooldeck=x.y.z", b"pooldeck-theme=dark"],
    b"Origin": [b"null", b"http://evil.example", b"http://127.0.0.1"],
    b"Range": [b"bytes=0-1", b"bytes=-1", b"bytes=0-0,1-1,5-"],
    b"Sec-Fetch-Site": [b"cross-site", b"same-origin", b"none"],
    b"X-Forwarded-For": [b"1.2.3.4", b"::1, 127.0.0.1"],
    b"X-Forwarded-Prefix": [b"/deck", b"//evil.example"],
    b"X-Forwarded-Proto": [b"https", b"javascript"],
}
_HOSTS: Final = [*[HOST.encode()] * 12, b"evil.example", b""]
_BEARER: Final = (b"Authorization", BEARER.encode())
_CREDENTIALS: Final[list[list[tuple[bytes, bytes]]]] = [
    *[[_BEARER]] * 9,
    [],
    [(b"Authorization", b"Bearer wrong")],
    [(b"Authorization", b"Basic YTpi")],
]
_FORM: Final = b"application/x-www-form-urlencoded"
_MULTIPART: Final = b"multipart/form-data; boundary=b"
_JSON: Final = b"application/json"
_TYPES: Final = (
    _FORM,
    _MULTIPART,
    _JSON,
    b"text/plain",
    b"multipart/form-data",
    b"",
    b"a/b;c=\xff",
)
_FOR_PROGRAMS: Final = ("/api/", "/metrics", "/openapi.json", "/healthz", "/readyz")
_SWEPT: Final = 3  # fields with one odd value, for each example of a route
_MOST_PAGES: Final = 40
_ENDING: Final = {"/drain", "/api/v1/server/drain"}
"""What ends the server, or has it refuse all others; `documented` calls it without a stop."""


@dataclass(frozen=True)
class Route:
    """A route: `names` are the fields that its queries and forms are known to have."""

    path: str
    methods: list[str]
    names: list[str] = field(default_factory=list)

    @property
    def is_for_programs(self) -> bool:
        return self.path.startswith(_FOR_PROGRAMS)


def trial(target: Target, effort: Effort) -> list[str]:
    """Ask for each route; return what is wrong with the answers."""
    wrong: dict[str, str] = {}

    def send(request: Request) -> None:
        for complaint in _complaints(target, request):
            wrong.setdefault(f"{route.methods} {route.path}: {complaint}", str(request))

    for route in routes(target):
        if route.path in _ENDING:
            continue
        effort.spend(requests(route, target), send)
        for request in sweep(route, target, effort):
            send(request)
    return [f"{what}, for {request}" for what, request in wrong.items()]


def _complaints(target: Target, request: Request) -> list[str]:
    try:
        reply = target.ask(request)
    except (OSError, HTTPException) as error:
        return [f"no answer: {error!r}"]
    to_program = request.target.decode("latin-1").startswith(_FOR_PROGRAMS)
    return [*complaints(reply, to_program=to_program), *unguarded(reply)]


def routes(target: Target) -> list[Route]:
    """Return all routes of the app, with the names that pages and the document have for them."""
    offered = fields_of_pages(target)
    described = target.http.get("/openapi.json").json()["paths"]
    found = []
    for route in table():
        names = {*route.names, *offered_to(route.path, offered)}
        names.update(_described(described.get(route.path, {})))
        found.append(replace(route, names=sorted(names)))
    return [*found, Route("/{path:path}", ["GET"])]


def table() -> list[Route]:
    """Return all routes of the app, with the names that they themselves tell."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data=Path(folder)))
    return [_route(found) for found in iter_route_contexts(app.load().routes)]


def _route(found: RouteContext) -> Route:
    if found.methods is None:
        return Route(f"{found.path}/{{path:path}}", ["GET"])  # what is mounted
    dependant = getattr(found, "dependant", None)
    taken = (*dependant.query_params, *dependant.body_params) if dependant else ()
    return Route(str(found.path), sorted(found.methods), [each.alias for each in taken])


def _described(calls: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the parameters that the OpenAPI document has for calls of a path."""
    for call in calls.values():
        yield from (each["name"] for each in call.get("parameters", ()) if each["in"] == "query")


# What the pages have to offer.


@dataclass
class Offers(HTMLParser):
    """The addresses and the forms of a page."""

    here: str
    addresses: list[str] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)  # paths, and names of fields
    _action: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = given.get("action") or self.here
        if "name" in given and self._action:
            self.fields.append((urlsplit(self._action).path, given["name"]))
        self.addresses += [value for value in given.values() if value.startswith("/")]


def fields_of_pages(target: Target) -> dict[str, set[str]]:
    """Go from page to page; return the names of the fields that are sent to each path."""
    found: dict[str, set[str]] = defaultdict(set)
    known, coming = {"/"}, ["/", *(f"/{part}/{name}" for part, name in _known(target))]
    for address in coming:
        page = Offers(address)
        page.feed(target.http.get(address).text)
        for path, name in page.fields:
            found[path].add(name)
        for other in page.addresses:
            path, query = urlsplit(other).path, urlsplit(other).query
            found[path] |= {name for name, _ in parse_qsl(query, keep_blank_values=True)}
            if path not in known and len(known) < _MOST_PAGES and not path.startswith("/static/"):
                known.add(path)
                coming.append(other)
    return found


def _known(target: Target) -> Iterator[tuple[str, str]]:
    for part, names in target.known.items():
        yield from ((part, name) for name in names[:2])


def offered_to(path: str, offered: dict[str, set[str]]) -> set[str]:
    fits, _, _ = compile_path(path)
    return {name for other, names in offered.items() if fits.match(other) for name in names}


# What is sent.


def sweep(route: Route, target: Target, effort: Effort) -> Iterator[Request]:
    """Yield requests that are fine but for one field; there are many, and `effort` picks some.

    Chance alone would hardly ever meet the one number that one of the fields cannot bear.
    """
    pairs = list(product(route.names, odd.TEXTS))
    some = random.Random(f"{effort.seed} {route}").sample  # the same ones for the same seed
    for name, value in some(pairs, min(len(pairs), _SWEPT * effort.examples)):
        field = _encoded([(name.encode(), value)])
        headers = [(b"Host", HOST.encode()), _BEARER]
        if "POST" in route.methods:
            yield Request(
                "POST", filled(route, target), [*headers, (b"Content-Type", _FORM)], field
            )
        else:
            yield Request(route.methods[0], filled(route, target) + b"?" + field, headers)


def filled(route: Route, target: Target) -> bytes:
    """Return the path of a route, to something that is there."""
    return _PARAMETER.sub(lambda found: _real(route, found, target), route.path).encode()


def _real(route: Route, parameter: re.Match[str], target: Target) -> str:
    return (_known_before(route.path[: parameter.start()], target) or ["args"])[0]


def _known_before(path: str, target: Target) -> list[str]:
    """Return names of what is in the collection that a path ends with."""
    return target.known.get(path.strip("/").rpartition("/")[2], [])


@st.composite
def requests(draw: DrawFn, route: Route, target: Target) -> Request:
    """Make a request for a route; more often than not it gets to what the route does."""
    method = draw(st.sampled_from([*route.methods * 6, *_METHODS]))
    fields = draw(_fields(route, target))
    kind, body = draw(_bodies(fields)) if method in {"POST", "PUT", "PATCH"} else (b"", None)
    query = [] if body is not None and draw(st.booleans()) else fields
    path = draw(_paths(route, target))
    headers = [(b"Host", draw(st.sampled_from(_HOSTS)))]
    headers += draw(st.sampled_from(_CREDENTIALS))
    headers += draw(st.lists(_headers, max_size=2))
    if body is not None:
        headers.append((b"Content-Type", kind))
    return Request(method, path + (b"?" + _encoded(query) if query else b""), headers, body)


@st.composite
def _fields(draw: DrawFn, route: Route, target: Target) -> list[tuple[bytes, bytes]]:
    """Give some fields values, or all: pages pass over what they do not understand."""
    if draw(st.booleans()):
        return [(name.encode(), draw(_values(target))) for name in route.names]
    return draw(st.lists(st.tuples(_names(route), _values(target)), max_size=3))


def _names(route: Route) -> SearchStrategy[bytes]:
    some = [name.encode() for name in route.names] or [b"q"]
    return st.sampled_from(some) | st.sampled_from(some * 8) | odd.values


def _values(target: Target) -> SearchStrategy[bytes]:
    real = [name.encode() for names in target.known.values() for name in names]
    return odd.values | odd.values | st.sampled_from(real)


@st.composite
def _paths(draw: DrawFn, route: Route, target: Target) -> bytes:
    """Fill the parameters of a path, with what is there or with something odd."""
    parts: list[bytes] = []
    end = 0
    for parameter in _PARAMETER.finditer(route.path):
        parts.append(route.path[end : parameter.start()].encode())
        end = parameter.end()
        names = _known_before(route.path[: parameter.start()], target) or ["args", "retry"]
        real = [name.encode() for name in names]
        value = draw(st.sampled_from(real * 3) | st.sampled_from(real) | odd.values)
        parts.append(quote_from_bytes(value, safe="").encode())
    return b"".join([*parts, route.path[end:].encode()])


@st.composite
def _headers_of(draw: DrawFn) -> tuple[bytes, bytes]:
    name = draw(st.sampled_from(_HEADERS))
    return name, draw(st.sampled_from(_USUAL.get(name, [b"x"])) | odd.header_values)


_headers: Final = _headers_of()


@st.composite
def _bodies(draw: DrawFn, fields: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Return a type and a body, which may be something else."""
    kind = draw(st.sampled_from([_FORM, _MULTIPART, _JSON, _JSON]))
    body = {_FORM: _encoded, _MULTIPART: _multipart}.get(kind, lambda _: draw(odd.json_bodies))
    sent = body(fields)
    return draw(st.sampled_from([kind] * 8 + list(_TYPES))), sent


def _encoded(fields: list[tuple[bytes, bytes]]) -> bytes:
    return "&".join(
        f"{quote_from_bytes(name, safe='')}={quote_from_bytes(value, safe='')}"
        for name, value in fields
    ).encode()


def _multipart(fields: list[tuple[bytes, bytes]]) -> bytes:
    parts: list[Any] = [
        b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
        % (quote_from_bytes(name).encode(), value)
        for name, value in fields
    ]
    return b"".join([*parts, b"--b--\r\n"])
