"""The options of a task that is submitted, as they are shared by the commands that submit."""

from typing import Annotated, Any, Final

import typer

from pooldeck_server.remote.completion import pools
from pooldeck_server.remote.option_groups import with_group

_OPTIONS: Final[dict[str, Any]] = {
    "pool": Annotated[
        str | None, typer.Option(help="where to run it [the function's]", autocompletion=pools)
    ],
    "priority": Annotated[
        int | None, typer.Option(help="-100 to 100, higher first [the function's]")
    ],
    "timeout": Annotated[
        float | None, typer.Option(help="seconds from its start to its end [the function's]")
    ],
    "retries": Annotated[
        int | None,
        typer.Option(help="reruns after an exception or a timeout [the function's]"),
    ],
    "needs": Annotated[
        list[str] | None,
        typer.Option(
            "--need",
            metavar="NAME=AMOUNT",
            help="what a machine must have free for it; may be given several times [the "
            "function's]",
        ),
    ],
    "tags": Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TAG", help="to find it by; may be given several times"),
    ],
}
"""By the names that the API has for them."""


def _given(options: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value not in (None, [])}
    if "needs" in given:
        given["needs"] = dict(map(_amount, given["needs"]))
    return given


def _amount(text: str) -> tuple[str, float]:
    name, _, amount = text.partition("=")
    try:
        return name, float(amount)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no NAME=AMOUNT, as gpu=1", param_hint="--need"
        ) from None


submitting: Final = with_group(_OPTIONS, _given)
"""Gives a command the options of a task, as its third argument: what was given, by names."""
