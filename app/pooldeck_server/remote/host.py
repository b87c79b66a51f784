"""`pooldeck host`: makes this machine a host of a pool whose server is elsewhere.

Where the server is, the token and the certificates stand in the environment or in a file that
nobody else may read: what is on a command line, every user of the machine can read.

0  the host was told to end, here or by the server
1  it cannot run, or the server does not want it; one line says why
2  wrong arguments
"""

from pathlib import Path
from typing import Annotated

import typer

from pooldeck_server.command_line.complaint import NOT_DONE, WRONG, Complaint


def host(
    *,
    pool: Annotated[str, typer.Option(help="the pool, as the server's settings name it")],
    name: Annotated[
        str | None, typer.Option(help="what this host is called [the machine's name]")
    ] = None,
    has: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=NUMBER",
            help="what tasks may need of it, such as gpu=1; may be given several times",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="server, token and certificates as TOML, of mode 0600"),
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIR",
            help="where modules of functions are, beside this folder and PYTHONPATH; may be "
            "given several times",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="where it keeps its files [a folder for temporary ones]"),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="log more")] = False,
) -> int:
    """Run tasks of a pool on this machine, for a server that is elsewhere.

    POOLDECK_SERVER says where the server listens for hosts (its [hosts] listen), POOLDECK_TOKEN is
    a token that may run hosts (pooldeck token create --role host NAME), POOLDECK_AUTHORITY a file
    with the certificate that the server's is signed by. What kind of pool it is and how large, the
    server says.
    """
    # Imported late: help need not wait for it.
    from pooldeck.hosts import program  # noqa: PLC0415

    program.log_to_stderr(verbose=verbose)
    program.open_paths(["", *(path or [])])
    try:
        options = program.host_options(pool, name, has or (), config=config, state=state)
    except program.BadHostError as error:
        raise Complaint(str(error), exit_code=WRONG) from None
    try:
        program.run(options)
    except program.BadHostError as error:
        raise Complaint(str(error), exit_code=NOT_DONE) from None
    return 0
