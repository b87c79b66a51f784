"""The conditions on tasks that lists and changes of many take, as options."""

from typing import Annotated, Any, Final

import typer

from pooldeck_server.remote.ages import moment_of
from pooldeck_server.remote.completion import functions, pools, states
from pooldeck_server.remote.option_groups import with_group


def _several(name: str, words: str, **more: Any) -> Any:
    text = f"{words}; may be given several times"
    return Annotated[list[str] | None, typer.Option(f"--{name}", help=text, **more)]


_OPTIONS: Final[dict[str, Any]] = {
    "state": _several("state", "queued, running, failed and so on", autocompletion=states),
    "function": _several("function", "of this function", autocompletion=functions),
    "pool": _several("pool", "in this pool", autocompletion=pools),
    "tag": _several("tag", "with this tag"),
    "error": _several("error", "that failed so: exception, timeout, crashed and so on"),
    "group": _several("group", "that failed as this group of errors"),
    "pipeline": _several("pipeline", "of this pipeline"),
    "q": Annotated[
        str | None,
        typer.Option("--search", metavar="TEXT", help="with this in id, function or arguments"),
    ],
    "since": Annotated[
        str | None,
        typer.Option(metavar="TIME", help="submitted since 2026-11-30T09:00:00Z, or 2h, 3d ago"),
    ],
    "until": Annotated[str | None, typer.Option(metavar="TIME", help="submitted before")],
}
"""By the names that the API has for them."""


def _as_asked(conditions: dict[str, Any]) -> dict[str, Any]:
    """Return the conditions that were given; a time may be told by its age."""
    given = {name: value for name, value in conditions.items() if value}
    for name in {"since", "until"} & given.keys():
        given[name] = moment_of(given[name])
    return given


filtered: Final = with_group(_OPTIONS, _as_asked)
"""Gives a command the options of a filter, as its third argument: what was given, by names."""
