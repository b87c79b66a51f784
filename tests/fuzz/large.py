"""Bodies as large as they may be, or larger, made of what is dear to read."""

from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.fuzz.effort import Effort
from tests.fuzz.judging import HOST, complaints
from tests.fuzz.routes import Route, filled, table
from tests.fuzz.sending import Request
from tests.fuzz.target import BEARER, Target

_SIZES: Final = (20_000, 300_000, 1_000_000, 15_000_000, 17_000_000)  # bytes; 16 MiB are allowed
_LARGEST: Final = ("/api/v1/tasks/batch", "/api/v1/pipelines")  # what may take 16 MiB
_TASK: Final = b'{"function":"web_functions.echo","args":['
_UNKNOWN: Final = b'{"function":"f","args":[1]}'
_JSON: Final = b"application/json"
_FORM: Final = b"application/x-www-form-urlencoded"
_MULTIPART: Final = b"multipart/form-data; boundary=b"
_PART: Final = b'--b\r\nContent-Disposition: form-data; name="a"'


@dataclass(frozen=True)
class Matter:
    """What a body is made of: `unit` over and over, between a start and an end."""

    kind: bytes
    start: bytes
    unit: bytes
    end: bytes

    @property
    def is_json(self) -> bool:
        return self.kind == _JSON

    def body(self, size: int) -> bytes:
        return self.start + self.unit * (size // len(self.unit)) + self.end


_MATTERS: Final = [
    Matter(_JSON, b'{"ids":[', b"[],", b"[]]}"),
    Matter(_JSON, b'{"ids":[', b"1,", b"1]}"),
    Matter(_JSON, b'{"ids":[', b'"a",', b'"a"]}'),
    Matter(_JSON, b'{"ids":[', b'{"a":{}},', b"{}]}"),
    Matter(_JSON, b'{"reason":"', b"\\u20ac", b'"}'),
    Matter(_JSON, b'{"reason":"', b"\xf0\x9f\x98\x80", b'"}'),
    Matter(_JSON, b'{"size":', b"9", b"}"),
    Matter(_JSON, b"{", b" ", b"}"),
    Matter(_JSON, b"", b"[", b""),
    Matter(_JSON, b'{"a":', b'"', b""),
    Matter(_JSON, b"{", b'"a":1,', b'"a":1}'),
    Matter(_JSON, _TASK, b"[],", b"[]]}"),
    Matter(_JSON, _TASK, b"1e5,", b"1]}"),
    Matter(_JSON, _TASK + b'"', b"x", b'"]}'),
    Matter(_JSON, b'{"tasks":[', _UNKNOWN + b",", _UNKNOWN + b"]}"),
    Matter(_JSON, b'{"tasks":[', b"{},", b"{}]}"),
    Matter(_FORM, b"", b"&", b""),
    Matter(_FORM, b"", b"a=b&", b""),
    Matter(_FORM, b"reason=", b"%00", b""),
    Matter(_FORM, b"", b";=", b""),
    Matter(_MULTIPART, b"", _PART + b"\r\n\r\n\r\n", b"--b--\r\n"),
    Matter(_MULTIPART, _PART + b'; filename="f"\r\n\r\n', b"x", b"\r\n--b--\r\n"),
    Matter(_MULTIPART, _PART + b"\r\n\r\n", b"\r\n--", b"\r\n--b--\r\n"),
    Matter(_MULTIPART, _PART, b"; a=b", b"\r\n\r\n\r\n--b--\r\n"),
]
"""The most of what a reader has to look at, to keep, or to turn back for."""


def trial(target: Target, effort: Effort) -> list[str]:
    """Send large bodies to what takes one; return what is wrong with the answers."""
    takers = [route for route in table() if {"POST", "PATCH"} & set(route.methods)]
    wrong: dict[str, str] = {}

    def send(request: Request) -> None:
        for complaint in _complaints(target, request):
            wrong.setdefault(f"{request.target!r}: {complaint}", str(request)[:500])

    effort.spend(_requests(takers, lambda route: filled(route, target)), send)
    return [f"{what}, for {request}" for what, request in wrong.items()]


def _complaints(target: Target, request: Request) -> list[str]:
    try:
        return list(complaints(target.ask(request)))
    except ConnectionError:
        return []  # it was refused before it had arrived, and the refusal was lost on the way
    except (OSError, HTTPException) as error:
        return [f"no answer: {error!r}"]


@st.composite
def _requests(draw: DrawFn, takers: list[Route], path: Callable[[Route], bytes]) -> Request:
    matter, size = draw(st.sampled_from(_MATTERS)), draw(st.sampled_from(_SIZES))
    fitting = [each for each in takers if each.is_for_programs == matter.is_json]
    largest = [each for each in fitting if each.path in _LARGEST]
    route = draw(st.sampled_from(fitting) | st.sampled_from(largest or fitting))
    headers = [
        (b"Host", HOST.encode()),
        (b"Authorization", BEARER.encode()),
        (b"Content-Type", matter.kind),
    ]
    return Request(route.methods[0], path(route), headers, matter.body(size))
