"""`pooldeck open`: the dashboard, or a page of it, in a browser."""

import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote, urlsplit

import httpx
import typer

from pooldeck.client.places import local_server
from pooldeck_server.command_line.complaint import NOT_DONE, WRONG, Complaint
from pooldeck_server.command_line.output import Output
from pooldeck_server.domain.tokens import MakeLink
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.naming import whole_id
from pooldeck_server.remote.server import RemoteServer
from pooldeck_server.runtime.access.asking import ask

_LISTS: Final = (
    *("tasks", "functions", "pools", "errors", "incidents", "pipelines", "experiments"),
    *("timeline", "alerts", "tokens"),
)
_THINGS: Final = {
    "task": "/tasks/{}",
    "function": "/functions/{}",
    "pool": "/pools#{}",
    "incident": "/incidents/{}",
    "error": "/errors/{}",
    "pipeline": "/pipelines/{}",
    "experiment": "/experiments/{}",
}
_SOCKET: Final = "pooldeck.sock"
_SCREENS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
_SECONDS: Final = 10.0
_OK: Final = 200
_PORT: Final = 80


@remote
def open_page(
    server: RemoteServer,
    output: Output,
    *,
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[WHAT]", help=f"{', '.join(_LISTS)}; or {', '.join(_THINGS)} and which one"
        ),
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="its id or name")] = None,
    print_it: Annotated[
        bool, typer.Option("--print", help="print the address and open nothing")
    ] = False,
) -> int:
    """Show the dashboard, or a page of it, in a browser.

    What is printed logs in the browser that it is given to, once, where the server would not know
    it: so it can be used by another user, and through a tunnel.

    Exit codes: 0 shown, 1 there is no browser or no such thing.
    """
    path = _page(server, what, name)
    if print_it or output.is_json:
        address = _link(server, path) or server.url + path
        _print(output, address)
        return 0
    if show(server, path):
        return 0
    output.note("pooldeck: there is no browser here; show this in one:")
    output.line(_link(server, path) or server.url + path)
    return NOT_DONE


def show(server: RemoteServer, path: str) -> bool:
    """Show a page of a server in a browser; False if there is none."""
    address = server.url + path
    if not _is_let_in(address):
        address = _link(server, path) or address
    return _has_screen() and webbrowser.open(address)


def _print(output: Output, address: str) -> None:
    if output.is_json:
        output.json({"url": address})
    else:
        output.line(address)


def _page(server: RemoteServer, what: str | None, name: str | None) -> str:
    """Return the path of the page that is meant."""
    if what is None:
        return "/"
    if name is None and what in _LISTS:
        return f"/{what}"
    if name is not None and what in _THINGS:
        whole = server.part(whole_id(server, name) if what == "task" else name)
        server.get(f"/{what}s/{whole}")  # so that what is not there is said here
        return _THINGS[what].format(whole)
    missing = f"which {what}? give its name" if what in _THINGS else f"there is no page {what}"
    raise Complaint(f"{missing}; pages are {', '.join(_LISTS)}", exit_code=WRONG)


def _has_screen() -> bool:
    """Tell whether a browser would get a window; one in the terminal shows no dashboard."""
    return sys.platform == "darwin" or any(os.environ.get(name) for name in _SCREENS)


def _is_let_in(address: str) -> bool:
    """Tell whether a browser of this user is shown the page without more.

    Others who look at the list of processes could take a link that a browser is started with: so
    none is made where none is needed.
    """
    try:
        return httpx.get(address, timeout=_SECONDS, trust_env=False).status_code == _OK
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def _link(server: RemoteServer, path: str) -> str | None:
    """Return the address of a page with what logs in once; None where there is no such way.

    That is for the server's own user on its machine, as for `pooldeck link`.
    """
    local = local_server(urlsplit(server.url).port or _PORT)
    if local is None or local.url != server.url:
        return None
    secret = ask(Path(local.data) / _SOCKET, MakeLink()).secret
    return None if secret is None else f"{secret}&next={quote(path, safe='/')}"
