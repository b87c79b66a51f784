"""`pooldeck serve`: runs the server, once its settings are known to be right."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from pooldeck.kinds import KINDS
from pooldeck_server.allocator import give_large_blocks_back
from pooldeck_server.collector import keeping
from pooldeck_server.command_line.complaint import NOT_DONE
from pooldeck_server.command_line.options import Config, Data, in_words, wrong_together
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.settings import Settings, injected, read_settings
from pooldeck_server.terminal.setup import speak

_log = logging.getLogger(__name__)

_GIL_INTERVAL_SECONDS: Final = 0.001
_NO_FUNCTIONS: Final = (
    "no module of functions is named, so nothing can be called: mark functions with @task and "
    "start with --functions MODULE"
)


@in_words()
def serve(
    *,
    host: Annotated[
        str | None, typer.Option(help="address to listen on [127.0.0.1; another needs a token]")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="port to listen on, 0 for a free one [8000]")
    ] = None,
    data: Data = None,
    config: Config = None,
    functions: Annotated[
        str | None,
        typer.Option(metavar="MODULE,...", help="modules whose @task functions may be called"),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="say more: each request, and how workers come and go"),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="say less: warnings and errors only")
    ] = False,
    log_format: Annotated[
        Literal["text", "json"] | None,
        typer.Option(
            help="of what is written to standard error: json is an object per line [text]"
        ),
    ] = None,
) -> int:
    """Run the server until SIGINT, SIGTERM or SIGHUP.

    Everything else is set in pooldeck.toml or by POOLDECK_* variables, such as POOLDECK_TOKEN and
    POOLDECK_POOLS__CPU__SIZE=4. The command line beats variables, and variables beat the file.
    Workers import user modules from the working directory and from PYTHONPATH.
    """
    if verbose and quiet:
        raise wrong_together("-v/--verbose", "-q/--quiet")
    level = "verbose" if verbose else "quiet" if quiet else None
    terminal = _given(level=level, format=log_format)
    place = _given(host=host, port=port, data=data, config=config, functions=functions)
    settings = read_settings(place | ({"terminal": terminal} if terminal else {}))
    speak(settings.terminal)
    try:
        _serve(settings)
    except StartupError as error:
        if settings.terminal.format == "text":
            raise
        _log.critical("%s", error)
        return NOT_DONE
    return 0


def _given(**values: str | int | Path | None) -> dict[str, Any]:
    """Return what was given; what was not keeps its default."""
    return {name: value for name, value in values.items() if value is not None}


def _serve(settings: Settings) -> None:
    """Run the server in this thread until it is told to end."""
    give_large_blocks_back()
    with keeping():
        # Imported late: they take half a second, which help and wrong settings need not wait for.
        from pooldeck_server.main import create_app  # noqa: PLC0415
        from pooldeck_server.web.http.server import serve as serve_http  # noqa: PLC0415

        _say_what_is_served(settings)
        app = create_app(settings)
    # The writer thread waits for the GIL after each call into SQLite; with the default of 5 ms a
    # busy event loop makes it wait that long every time.
    sys.setswitchinterval(_GIL_INTERVAL_SECONDS)
    serve_http(app, settings)


def _say_what_is_served(settings: Settings) -> None:
    if ignored := sorted(injected(os.environ)):
        _log.info("ignored, since an orchestrator has set them: %s", ", ".join(ignored))
    _log.info("data in %s; pools %s", settings.data.resolve(), _pools_in_words(settings))
    if not settings.functions and not settings.commands:
        _log.warning("%s", _NO_FUNCTIONS)


def _pools_in_words(settings: Settings) -> str:
    """Return the pools with their sizes, such as `io (32 threads), cpu (2 processes)`."""
    return ", ".join(
        f"{name} ({KINDS[pool.kind].counted(pool.slots)})" for name, pool in settings.pools.items()
    )
