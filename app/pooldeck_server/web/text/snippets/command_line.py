"""A call as a line of the command line: `pooldeck`, which finds the token in its environment."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw

from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.web.text.snippets.call import LATER, Address, Snippet, on_one_line

_NAME: Final = "CLI"
_USUAL: Final = "http://127.0.0.1:8000"
_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPTIONS: Final = {"run_at": "--at", "tags": "--tag", "needs": "--need"}
_CONDITIONS: Final = {"q": "search"}


def command(address: Address, *words: str) -> Snippet:
    """Return a command; where the server is stands in it unless it is the usual place."""
    where = () if address.url == _USUAL else ("--url", address.url)
    return Snippet(_NAME, shlex.join(("pooldeck", *words[:1], *where, *words[1:])))


def conditions(query: Iterable[tuple[str, str]]) -> Sequence[str]:
    """Return the options that narrow a list as the parameters of its address do."""
    return [f"--{_CONDITIONS.get(name, name)}={value}" for name, value in query]


def submission(address: Address, wanted: Submission, options: Mapping[str, Any]) -> Snippet:
    """Return the command that submits a task, and prints its result if it runs now."""
    wait = () if LATER & options.keys() else ("--wait",)
    return command(
        address, "submit", *wait, *_options(options), wanted.function, *_arguments(wanted)
    )


def _options(options: Mapping[str, Any]) -> Iterable[str]:
    for name, value in options.items():
        option = _OPTIONS.get(name, f"--{name}")
        if isinstance(value, dict):
            yield from (f"{option}={each}={amount:g}" for each, amount in value.items())
            continue
        for each in value if isinstance(value, list) else [value]:
            yield f"{option}={each}"


def _arguments(wanted: Submission) -> Sequence[str]:
    """Return the arguments as words where each can be one, else as JSON."""
    args = msgspec.json.decode(wanted.args, type=list[Raw])
    named = msgspec.json.decode(wanted.kwargs, type=dict[str, Raw])
    words = [_word(bytes(each).decode()) for each in args]
    if any(word.startswith("-") or "=" in word for word in words):
        words = [f"--args={_json(wanted.args)}"]
    if all(map(_KEY.fullmatch, named)):
        return [*words, *(f"{name}={_word(bytes(raw).decode())}" for name, raw in named.items())]
    return [*words, f"--kwargs={_json(wanted.kwargs)}"]


def _word(text: str) -> str:
    """Return a JSON text as a word that is read as the same value: texts need no quotes.

    A word that is no JSON stands for a text; so one that would be JSON is quoted as JSON.
    """
    if text.startswith('"'):
        plain = msgspec.json.decode(text, type=str)
        if plain.isprintable() and plain == plain.strip() and not _is_special(plain):
            return plain
    return on_one_line(text)


def _is_special(text: str) -> bool:
    """Tell whether a text as it is would be read as JSON, or as a sign for stdin."""
    if text == "-":
        return True
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text in {"NaN", "Infinity", "-Infinity"}  # some parsers take these, too
    return True


def _json(raw: Raw) -> str:
    return on_one_line(bytes(raw).decode())
