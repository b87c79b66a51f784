"""The internals of uvicorn and httptools that the server leans on, by name, and as they have to be.

An update that changes one of them could switch a deadline or a limit off and nobody would see it.
So pyproject.toml bounds both from above. Raise a bound when these tests and those of
`web/http` pass with the new release; one that fails here says what has to be looked at.
"""

import asyncio
import inspect
import re
import tomllib
from typing import Any, Final

import httptools
import pytest
import uvicorn
from packaging.requirements import Requirement
from packaging.version import Version
from uvicorn.protocols.http import flow_control, httptools_impl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from pooldeck_server.web.http.protocol.connection import Connection
from pooldeck_server.web.http.protocol.writing import CoalescingTransport
from pooldeck_server.web.http.server import Config, HttpServer
from tests import ROOT

OVERRIDDEN: Final[dict[tuple[type, type], dict[str, tuple[str, ...]]]] = {
    (Connection, HttpToolsProtocol): {
        "connection_made": ("transport",),
        "connection_lost": ("exc",),
        "data_received": ("data",),
        "on_message_begin": (),
        "on_header": ("name", "value"),
        "on_headers_complete": (),
        "on_body": ("body",),
        "on_message_complete": (),
        "on_response_complete": (),
        "pause_writing": (),
        "resume_writing": (),
        "_start_asgi_task": ("cycle", "app"),
    },
    (HttpServer, uvicorn.Server): {
        "__init__": ("config",),
        "capture_signals": (),
        "startup": ("sockets",),
        "main_loop": (),
        "handle_exit": ("sig", "frame"),
        "shutdown": ("sockets",),
    },
}
"""What is put in the place of whose methods, with the parameters that these have."""

READ: Final[dict[type, set[str]]] = {
    HttpToolsProtocol: {"config", "loop", "transport", "cycle", "pipeline"},
    RequestResponseCycle: {"response_started", "response_complete"},
    uvicorn.Server: {"config", "should_exit", "started", "server_state"},
    ServerState: {"connections"},
}
"""Attributes that are read, or set, from outside."""

CALLED_BY_THE_PARSER: Final = {
    "on_message_begin",
    "on_header",
    "on_headers_complete",
    "on_body",
    "on_message_complete",
}
_LIBRARY: Final = re.compile(r"^(uvicorn|httptools)\b")
_REQUEST: Final = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"


@pytest.mark.parametrize(("ours", "theirs"), OVERRIDDEN)
def test_what_is_overridden_is_still_there_and_takes_the_same(ours: type, theirs: type) -> None:
    expected = OVERRIDDEN[ours, theirs]
    found = {
        name: tuple(inspect.signature(getattr(theirs, name)).parameters)[1:]
        for name in expected
        if hasattr(theirs, name)
    }

    assert found == expected


@pytest.mark.parametrize(("ours", "theirs"), OVERRIDDEN)
def test_nothing_else_of_theirs_is_overridden_by_chance(ours: type, theirs: type) -> None:
    made = {name for name in vars(ours) if not name.startswith("__")}
    names = made & (set(dir(theirs)) | _assigned_in(theirs))

    assert names == {name for name in OVERRIDDEN[ours, theirs] if not name.startswith("__")}


@pytest.mark.parametrize("theirs", READ)
def test_what_is_read_is_still_kept(theirs: type) -> None:
    assert READ[theirs] - _assigned_in(theirs) == set()


def test_the_parser_still_calls_what_counts_bytes() -> None:
    called = []

    class Listener:
        def __getattr__(self, name: str) -> Any:
            return lambda *_: called.append(name)

    httptools.HttpRequestParser(Listener()).feed_data(_REQUEST)

    assert set(called) >= CALLED_BY_THE_PARSER


def test_the_status_lines_are_those_that_go_out_raw() -> None:
    assert httptools_impl.STATUS_LINE[408] == b"HTTP/1.1 408 Request Timeout\r\n"


def test_all_that_is_written_to_a_transport_is_gathered() -> None:
    """Another way to write would overtake what waits."""
    source = inspect.getsource(httptools_impl) + inspect.getsource(flow_control)
    used = set(re.findall(r"transport\.(\w+)\(", source))

    known = {"write", "close", "is_closing", "pause_reading", "resume_reading", "get_extra_info"}
    assert used - known - {"set_protocol"} == set()
    assert {"write", "close"} <= set(vars(CoalescingTransport))


def test_the_configuration_is_one_of_theirs() -> None:
    theirs = inspect.signature(uvicorn.Config.__init__).parameters
    source = inspect.getsource(Config.__init__)
    given = set(re.findall(r"^\s+(\w+)=", source, re.MULTILINE))

    assert len(given) > 8
    assert given - set(theirs) == set()
    assert issubclass(HttpToolsProtocol, asyncio.Protocol)


def test_what_is_leaned_on_is_bounded_from_above_by_the_next_release() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bounded = [
        Requirement(each)
        for each in project["optional-dependencies"]["server"]
        if _LIBRARY.match(each)
    ]
    installed = {"uvicorn": uvicorn.__version__, "httptools": httptools.__version__}

    assert {each.name for each in bounded} == set(installed)
    for each in bounded:
        version = Version(installed[each.name])
        following = f"{version.major}.{version.minor + 1}"
        assert each.specifier.contains(str(version)), each
        assert not each.specifier.contains(following), f"{each} lets {following} in unseen"


def _assigned_in(theirs: type) -> set[str]:
    """Return the names that a class or its `__init__` gives to attributes."""
    source = inspect.getsource(theirs)
    return set(re.findall(r"self\.(\w+)(?::[^=\n]+)? =", source)) | set(dir(theirs))
