"""The command `pooldeck doctor`: what can be said to it, and what it prints."""

from typing import Annotated

import typer

from pooldeck_server.command_line.options import AsJson, Config, Data, in_words, place, print_json
from pooldeck_server.doctor.examination import examine, in_lines


@in_words()
def doctor(
    data: Data = None,
    config: Config = None,
    url: Annotated[str | None, typer.Option(help="of the server [where the settings have it]")] = (
        None
    ),
    as_json: AsJson = False,
) -> int:
    """Look at what may be wrong with an installation, and say how to mend it.

    Looked at are the configuration, versions, limits, clock, disk, database, modules, the address
    and what is said of proxies, with or without a running server. Run it as the user and in the
    folder of the server. Nothing is changed.

    Exit codes: 0 all is well, 1 there is something to look at, 2 something is wrong.
    """
    report = examine(place(data, config), url)
    if as_json:
        print_json(report)
    else:
        print("\n".join(in_lines(report)))  # noqa: T201  (the command's own voice)
    return report.level.exit_code
