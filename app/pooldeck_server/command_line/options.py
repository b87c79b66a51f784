"""What the commands of a server's machine share: where its data are, and what may be wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
import typer

from pooldeck_server.command_line.complaint import NOT_DONE, WRONG, Complaint
from pooldeck_server.domain.errors import CopyError, StartupError
from pooldeck_server.settings import BadSettings

Data: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="folder of the database [./pooldeck-data]"),
]
Config: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="configuration [./pooldeck.toml, if there]"),
]

AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="print the result as JSON, with the names that the API has")
]


def place(data: Path | None, config: Path | None) -> dict[str, Any]:
    """Return what was said of an installation, as settings are read with it."""
    given = {"data": data, "config": config}
    return {name: value for name, value in given.items() if value is not None}


def wrong_together(one: str, other: str) -> Complaint:
    """Return why two options cannot be had at once."""
    return Complaint(f"argument {other}: not allowed with argument {one}", exit_code=WRONG)


def print_json(value: Any) -> None:
    """Print a value as JSON, indented."""
    text = msgspec.json.format(msgspec.json.encode(value)).decode()
    print(text)  # noqa: T201  (the command's own voice)


@contextmanager
def in_words() -> Iterator[None]:
    """Say in lines what is wrong with settings, a start or a copy. Decorates a command."""
    try:
        yield
    except BadSettings as error:
        raise Complaint(*error.problems, exit_code=WRONG) from None
    except (StartupError, CopyError) as error:
        raise Complaint(str(error), exit_code=NOT_DONE) from None
