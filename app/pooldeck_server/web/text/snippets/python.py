"""A call as a program: `pooldeck.Client` finds the token in its environment."""

import json
from collections.abc import Iterable, Mapping
from keyword import iskeyword
from typing import Any, Final

import msgspec
from msgspec import Raw

from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.web.text.snippets.call import API, LATER, Address, Call, Snippet

_NAME: Final = "Python"
_INDENT: Final = " " * 4


class _Number(str):
    """A number as it is written, which Python reads as JSON does."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def request(address: Address, call: Call) -> Snippet:
    """Return a program that makes a call and prints the answer."""
    words = [repr(call.method), repr(call.target.removeprefix(API))]
    if call.body is not None:
        words.append(_literal(call.body))
    return _program(address, f"print(client.request({', '.join(words)}))")


def task(address: Address, task_id: str) -> Snippet:
    """Return a program that prints a task."""
    return _program(address, f"print(client.task({task_id!r}))")


def tasks(address: Address, query: Iterable[tuple[str, str]]) -> Snippet:
    """Return a program that prints the tasks of a list, by the parameters of its address."""
    given: dict[str, list[str]] = {}
    for name, value in query:
        given.setdefault(name, []).append(value)
    filters = (f"{name}={each if each[1:] else each[0]!r}" for name, each in given.items())
    lines = (f"for task in client.tasks({', '.join(filters)}):", f"{_INDENT}print(task)")
    return _program(address, *lines)


def submission(address: Address, wanted: Submission, options: Mapping[str, Any]) -> Snippet:
    """Return a program that submits a task and prints its id, and its result if it runs now."""
    values = [repr(wanted.function), *_arguments(wanted)]
    chosen = ", ".join(f"{name}={value!r}" for name, value in options.items())
    client = f"client.options({chosen})" if options else "client"
    lines = [f"future = {client}.submit({', '.join(values)})", "print(future.stored())"]
    if not LATER & options.keys():
        lines.append("print(future.result())")
    return _program(address, *lines)


def _program(address: Address, *lines: str) -> Snippet:
    body = "\n".join(f"{_INDENT}{line}" for line in lines)
    head = f"from pooldeck import Client\n\nwith Client({address.url!r}) as client:\n"
    return Snippet(_NAME, f"{head}{body}")


def _arguments(wanted: Submission) -> list[str]:
    """Return the arguments as a call has them: by name where Python can write the name."""
    args = [
        _literal(bytes(each)) for each in msgspec.json.decode(wanted.args, type=list[msgspec.Raw])
    ]
    named = msgspec.json.decode(wanted.kwargs, type=dict[str, msgspec.Raw])
    others = {name: _value(value) for name, value in named.items() if not _is_name(name)}
    args += [f"{name}={_literal(raw)}" for name, raw in named.items() if _is_name(name)]
    return [*args, f"**{others!r}"] if others else args


def _is_name(text: str) -> bool:
    return text.isidentifier() and text.isascii() and not iskeyword(text)


def _literal(text: bytes | Raw) -> str:
    return repr(_value(text))


def _value(text: bytes | Raw) -> Any:
    return json.loads(bytes(text), parse_int=_Number, parse_float=_Number)
