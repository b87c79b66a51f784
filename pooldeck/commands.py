"""Commands: functions that are declared as an argument vector with named placeholders.

    run = ["vipsthumbnail", "--size={width}x", "--output={target}", "--", "{source}"]

There is no shell, and nothing is split: each entry of `run` becomes one argument of the program,
whatever the values hold. Only an array spreads over several arguments; its placeholder is an entry
of its own. A brace itself is written twice. `pooldeck.worker.commands` runs what is declared here.
"""

import string
from collections.abc import Iterator, Mapping
from keyword import iskeyword
from typing import Any, Final, Literal

from msgspec import Struct

from pooldeck.command_parameters import CommandParameter
from pooldeck.functions import Options

MODULE: Final = "commands"
"""What stands for the module of declared commands, where functions are listed by theirs."""

_NUL: Final = "\0"
_END_OF_OPTIONS: Final = "--"
_ANY_STRING: Final = CommandParameter()


class CommandFailed(Exception):  # noqa: N818 - a name that people read on the task's page
    """A command could not be started, or its end does not count as success."""


class Command(Struct, frozen=True):
    """A command as `pooldeck.toml` declares it.

    `parameters` describe placeholders; one without takes a string. `environment` is added to the
    worker's. `input` is a text with placeholders, for standard input. `success` lists exit codes
    that are no failure. The `result` has the standard output as text, is that output read as JSON,
    or has neither. `grace_seconds` pass between SIGTERM and SIGKILL when it is made to end.

    Raises:
        ValueError: If the declaration cannot work; it says why.
    """

    run: tuple[str, ...]
    options: Options
    parameters: dict[str, CommandParameter] = {}
    description: str = ""
    directory: str | None = None
    environment: dict[str, str] = {}
    input: str = ""
    success: tuple[int, ...] = (0,)
    result: Literal["stdout", "json", "none"] = "stdout"
    grace_seconds: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if not self.run or not self.run[0] or _names(self.run[0]):
            raise ValueError("run begins with the program, which cannot be a placeholder")
        fixed = (*self.run, *self.environment, *self.environment.values())
        if any(_NUL in text for text in fixed):
            raise ValueError("run and environment cannot hold a NUL")
        used = set(self.placeholders())
        if unused := [name for name in self.parameters if name not in used]:
            raise ValueError(f"neither run nor input has a placeholder for {', '.join(unused)}")
        if unknown := [name for name in self.options.sensitive if name not in used]:
            raise ValueError(f"sensitive names what is no placeholder: {', '.join(unknown)}")
        for entry in self.run:
            self._check_arrays(entry, is_argument=True)
        self._check_arrays(self.input, is_argument=False)

    def _check_arrays(self, entry: str, *, is_argument: bool) -> None:
        for name in _names(entry):
            is_alone = is_argument and _pieces(entry) == [("", name)]
            if self.parameter(name).type == "array" and not is_alone:
                raise ValueError(
                    f"{name} is an array: its placeholder is an entry of run by itself, "
                    f"and {entry!r} is not"
                )

    @property
    def name(self) -> str:
        """Return the name that it is called by."""
        return self.options.name or self.run[0]

    def placeholders(self) -> Iterator[str]:
        """Yield the names of its placeholders, in order, each once."""
        entries = (*self.run, self.input)
        yield from dict.fromkeys(name for entry in entries for name in _names(entry))

    def parameter(self, name: str) -> CommandParameter:
        """Return what a placeholder takes."""
        return self.parameters.get(name, _ANY_STRING)

    def exposed(self) -> frozenset[str]:
        """Return the parameters whose text the program could take for an option.

        That is any text at the beginning of an argument, unless a `--` stands before it.
        """
        end = self.run.index(_END_OF_OPTIONS) if _END_OF_OPTIONS in self.run else len(self.run)
        first = [_pieces(entry)[0] for entry in self.run[:end]]
        leading = {name for text, name in first if name and not text}
        return frozenset(name for name in leading if self.parameter(name).is_free_text)

    def arguments(self, values: Mapping[str, Any]) -> list[str]:
        """Return the argument vector, the program first, with a value for each placeholder.

        Raises:
            ValueError: If a value cannot be an argument; it begins with the parameter's name.
        """
        exposed = self.exposed()
        texts = {
            name: self.parameter(name).texts(name, values[name], is_exposed=name in exposed)
            for name in self.placeholders()
        }
        return [argument for entry in self.run for argument in self._filled(entry, texts)]

    def _filled(self, entry: str, texts: Mapping[str, list[str]]) -> list[str]:
        parts = _pieces(entry)
        if any(self.parameter(name).type == "array" for name in _names(entry)):
            return texts[parts[0][1]]
        return ["".join(text + "".join(texts.get(name, ())) for text, name in parts)]

    def standard_input(self, values: Mapping[str, Any]) -> str:
        """Return the text for standard input, with a value for each of its placeholders."""
        texts = {
            name: self.parameter(name).texts(name, values[name], is_exposed=False)
            for name in _names(self.input)
        }
        return "".join(self._filled(self.input, texts))


def _names(text: str) -> list[str]:
    """Return the names of a text's placeholders, in order."""
    return [name for _, name in _pieces(text) if name]


def _pieces(text: str) -> list[tuple[str, str]]:
    """Return a text as literal parts, each with the name of the placeholder after it or ""."""
    found = []
    try:
        for literal, name, form, conversion in string.Formatter().parse(text):
            _check_placeholder(name, is_plain=not (form or conversion))
            found.append((literal, name or ""))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}; a brace itself is written twice") from None
    return found or [("", "")]


def _check_placeholder(name: str | None, *, is_plain: bool) -> None:
    """Refuse what `str.format` would take and a placeholder is not."""
    if name is None:
        return
    if not is_plain or not name.isidentifier() or iskeyword(name):
        raise ValueError(
            "a placeholder is a name of letters, digits and underscores in braces, such as {path}"
        )
