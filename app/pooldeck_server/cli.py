"""The `pooldeck` command line: reads the arguments, and says in words what is wrong with them.

`pooldeck_server.launcher` calls it, in a process that user code cannot reach. What the server
itself does begins in `pooldeck_server.main`.
"""

import argparse
import logging
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

from pooldeck.kinds import KINDS
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.remote.arguments import add_parser
from pooldeck_server.settings import BadSettings, Settings, read_settings

EXIT_CANNOT_START = 1
EXIT_BAD_SETTINGS = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it

_log = logging.getLogger(__name__)

_GIL_INTERVAL_SECONDS = 0.001
_EPILOG = """\
Everything else is set in pooldeck.toml or by POOLDECK_* variables, such as POOLDECK_TOKEN and
POOLDECK_POOLS__CPU__SIZE=4. The command line beats variables, and variables beat the file.
Workers import user modules from the working directory and from PYTHONPATH.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (default: those of the process) ask for.

    Returns:
        The exit code: 0 done, 1 the server cannot start, 2 wrong arguments or settings; what others
        mean is said by the help of the command.
    """
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except BadSettings as error:
        return _complain(error.problems, EXIT_BAD_SETTINGS)
    except StartupError as error:
        return _complain([str(error)], EXIT_CANNOT_START)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    """Return the parser; what was not given is absent from its result, so that defaults stay."""
    parser = argparse.ArgumentParser(
        prog="pooldeck", description="Thread and process pools with a record and a dashboard."
    )
    parser.add_argument("--version", action="version", version=f"pooldeck {version('pooldeck')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    serve = commands.add_parser(
        "serve",
        help="run the server: its pools, its API and its dashboard",
        description="Run the server until SIGINT or SIGTERM.",
        epilog=_EPILOG,
        argument_default=argparse.SUPPRESS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    serve.add_argument("--host", help="address to listen on [127.0.0.1; another needs a token]")
    serve.add_argument("--port", type=int, help="port to listen on, 0 for a free one [8000]")
    serve.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the database [./pooldeck-data]"
    )
    serve.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration [./pooldeck.toml, if there]"
    )
    serve.add_argument(
        "--functions", metavar="MODULE,...", help="modules whose @task functions may be called"
    )
    serve.set_defaults(run=_serve_as_given)
    add_parser(commands)
    return parser


def _serve_as_given(given: argparse.Namespace) -> int:
    _serve(read_settings({name: value for name, value in vars(given).items() if name != "run"}))
    return 0


def _serve(settings: Settings) -> None:
    """Run the server in this thread until it is told to end."""
    # Imported late: they take most of a second, which help and wrong settings need not wait for.
    from pooldeck_server.main import create_app  # noqa: PLC0415
    from pooldeck_server.web.http.server import serve  # noqa: PLC0415

    _log_to_stderr()
    _log.info("data in %s; pools %s", settings.data.resolve(), _pools_in_words(settings))
    # The writer thread waits for the GIL after each call into SQLite; with the default of 5 ms a
    # busy event loop makes it wait that long every time.
    sys.setswitchinterval(_GIL_INTERVAL_SECONDS)
    serve(create_app(settings), settings)


def _pools_in_words(settings: Settings) -> str:
    """Return the pools with their sizes, such as `io (32 threads), cpu (2 processes)`."""
    return ", ".join(
        f"{name} ({KINDS[pool.kind].counted(pool.slots)})" for name, pool in settings.pools.items()
    )


class _Indented(logging.Formatter):
    """Starts a line for each record only: further lines of a message are indented."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", "\n    ")


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Indented("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _complain(problems: Iterable[str], exit_code: int) -> int:
    for problem in problems:
        print(f"pooldeck: {problem}", file=sys.stderr)  # noqa: T201  (the command's own voice)
    return exit_code
