"""The commands of the table as typer has them; each is imported when it is called."""

import re
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand
from typer.main import get_command

from pooldeck_server.command_line.complaint import INTERRUPTED, WRONG, Complaint
from pooldeck_server.command_line.table import places

_PACKAGE: Final = "pooldeck_server"
_NAMES_OF_HELP: Final = {"help_option_names": ["--help", "-h"]}
_PLAINER: Final = (
    (re.compile(r"^Invalid value: "), ""),
    (re.compile(r"Value error, "), ""),
    (re.compile(r"Input should be a valid integer, unable .*"), "a whole number is wanted"),
    (re.compile(r"Input should be a valid number, unable .*"), "a number is wanted"),
    (re.compile(r"Input should be "), "it should be "),
)
"""What typer takes over from the library that checks values, and how people would say it."""
_NUMBER_AS_OPTION: Final = re.compile(r"No such option: -\.?\d")
_FURTHER_ARGUMENT: Final = re.compile(r"Got unexpected extra argument")


def run(arguments: list[str]) -> int:
    """Run the command that is asked for.

    Returns:
        Its exit code.

    Raises:
        Complaint: If it was not done.
    """
    command = get_command(_all_commands())
    for name, (place, words) in places().items():
        command.add_command(_Later(name, place, words))  # type: ignore[attr-defined]  # a group
    try:
        code = command.main(arguments, prog_name="pooldeck", standalone_mode=False)
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as error:  # any wrong usage
        raise _wrong(error) from None
    return int(code or 0)


def new_commands(**options: Any) -> typer.Typer:
    """Return an empty set of commands that look as all do."""
    return typer.Typer(
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_NAMES_OF_HELP,
        **options,
    )


def _all_commands() -> typer.Typer:
    commands = new_commands()
    commands.callback(help="Thread and process pools with a record and a dashboard.")(_nothing)
    return commands


def _nothing() -> None:
    """Do nothing: what `pooldeck` does is done by its commands."""


class _Later(TyperCommand):
    """A command that is known by its name and one line of help until it is called."""

    def __init__(self, name: str, place: str, words: str) -> None:
        super().__init__(name, help=words, rich_markup_mode=None)
        self._place = place

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Begin to read the arguments of the command itself, which takes this one's place."""
        return self._load().make_context(*args, **options)

    def _load(self) -> Any:
        module, _, attribute = self._place.partition(":")
        found = getattr(import_module(f"{_PACKAGE}.{module}"), attribute)
        if isinstance(found, typer.Typer):
            return get_command(found)
        commands = new_commands(add_completion=False)
        commands.command(self.name)(found)
        return get_command(commands)


def _wrong(error: typer.TyperException) -> Complaint:
    words = " ".join(error.format_message().split()).rstrip(".")
    for pattern, plain in _PLAINER:
        words = pattern.sub(plain, words)
    context = getattr(error, "ctx", None)
    where = f"; see {context.command_path} --help" if context else ""
    where = f"{_advice(words, context)}{where}"
    return Complaint(f"{words[:1].lower()}{words[1:]}{where}", exit_code=WRONG)


def _advice(words: str, context: Any) -> str:
    """Return what is likely meant by a wrong usage, to be said after what is wrong."""
    if _NUMBER_AS_OPTION.match(words):
        return ": put -- before numbers below zero"
    if _FURTHER_ARGUMENT.match(words) and context and context.command.name == "serve":
        return ": modules of functions are named by --functions MODULE"
    return ""
