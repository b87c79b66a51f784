"""`pooldeck dev`: serves a file while it is written."""

import signal
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.developing.changes import Watcher
from pooldeck_server.developing.project import Project
from pooldeck_server.developing.screen import DevScreen
from pooldeck_server.developing.server import DevServer, Wanted
from pooldeck_server.developing.session import DevSession

_DATA: Final = ".pooldeck-dev"


def dev(
    module: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]",
            help="such as jobs.py, or the name of a module [those that pooldeck.toml names]",
        ),
    ] = None,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="port to listen on [a free one]")] = 0,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=f"folder of the record [{_DATA} beside the code]"),
    ] = None,
    opens: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="show the dashboard in a browser [on a terminal]"),
    ] = None,
) -> int:
    """Serve a file while it is written: load its changes, and show what tasks say.

    Python files of its folder are watched; a change replaces the workers, and one of pooldeck.toml
    starts the server anew. What cannot be loaded is shown, and what was loaded before goes on.

    Exit codes: 130 ended by Ctrl-C, 1 the server cannot start, 2 wrong arguments or settings.
    """
    project = Project.of(module)
    wanted = Wanted(project, (data or project.folder / _DATA).absolute(), port)
    screen = DevScreen()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with DevServer(wanted, screen) as server, Watcher(project, wanted.data) as watcher:
            session = DevSession(wanted, server, watcher, screen)
            try:
                return session.run(opens=screen.is_terminal if opens is None else opens)
            finally:
                session.close()
    except OSError as error:
        raise Complaint(str(error)) from None


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
