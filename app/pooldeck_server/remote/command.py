"""What every command has that talks to a server: how to reach it, and JSON for programs."""

import os
from functools import wraps
from typing import Annotated, Any, Final

import typer

from pooldeck_server.command_line.complaint import WRONG, Complaint
from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.option_groups import Command, describe
from pooldeck_server.remote.server import RemoteServer

_PREFIX: Final = "POOLDECK_"
_KNOWN: Final = {f"{_PREFIX}{name}" for name in ("URL", "TOKEN", "PROFILE")}

_OPTIONS: Final[dict[str, Any]] = {
    "url": Annotated[
        str | None,
        typer.Option(help="of the server [POOLDECK_URL, or http://127.0.0.1:8000]"),
    ],
    "token": Annotated[str | None, typer.Option(help="to show it [POOLDECK_TOKEN]")],
    "profile": Annotated[
        str | None,
        typer.Option(metavar="NAME", help="where to find both, in profiles.toml"),
    ],
    "as_json": Annotated[bool, typer.Option("--json", help="print what the API says")],
}
_DEFAULTS: Final[dict[str, Any]] = {"as_json": False}


def remote(command: Command) -> Command:
    """Make a command of a function that is called with a server and an output, and its options.

    The command has --url, --token, --profile and --json beside the options of the function, which
    returns the exit code, or None for 0.
    """

    @wraps(command)
    def run(url: str | None, token: str | None, profile: str | None, **given: Any) -> int:
        check_environment()
        output = Output(is_json=given.pop("as_json"))
        try:
            with RemoteServer(url, token, profile) as server:
                return command(server, output, **given) or 0
        except BrokenPipeError:
            raise  # whoever read has had enough
        except OSError as error:  # such as a disk that is full
            raise Complaint(str(error)) from None

    return describe(run, command, _OPTIONS, _DEFAULTS, taken=slice(2))


def check_environment() -> None:
    """Refuse variables that look like settings and are none, as the server does.

    A mistyped POOLDECK_URL would talk to another server. Looking takes long, since all settings are
    read: so it is done only where there is another variable than those that are read here.

    Raises:
        Complaint: With a line for each.
    """
    ours = {name: value for name, value in os.environ.items() if _PREFIX in name.upper()}
    if all(name in _KNOWN and value for name, value in ours.items()):
        return
    try:
        from pooldeck_server.settings import BadSettings, check_variables  # noqa: PLC0415
    except ModuleNotFoundError:  # only the extra `cli` is installed
        return
    try:
        check_variables(os.environ)
    except BadSettings as error:
        raise Complaint(*error.problems, exit_code=WRONG) from None
