"""Every error that a program meets which runs tasks on a server, on one page.

Beside these there are the standard library's: `BrokenProcessPool` where a worker died under a task,
`TimeoutError` where its time was over, `CancelledError` where somebody cancelled it, and whatever
the function itself has raised, if that class is imported here.
"""

from concurrent.futures import BrokenExecutor
from typing import Any


class ClientError(Exception):
    """The root of what can go wrong between a program and a server."""


class NotReachable(ClientError, ConnectionError):
    """No server answers, for as long as was waited; the message says where one was looked for."""


class Detached(ClientError):
    """The client was closed before the task had ended; it goes on, and can be asked for by id."""


class Refused(ClientError):
    """The server refused a request.

    Attributes:
        status: The HTTP status.
        code: The error's code, for programs; "" where what answered is no Pooldeck.
        detail: What is wrong, for people.
        extra: What the server says beside it, such as the `field` or the `argument`.
    """

    def __init__(
        self, status: int, code: str, detail: str, extra: dict[str, Any] | None = None
    ) -> None:
        super().__init__(status, code, detail, extra)
        self.status = status
        self.code = code
        self.detail = detail
        self.extra = extra or {}

    def __str__(self) -> str:
        return self.detail


class BadArguments(Refused, TypeError):
    """The arguments do not fit the function."""


class UnknownFunction(Refused, LookupError):
    """No function of that name is registered on the server."""


class RemoteError(ClientError):
    """A task raised an exception whose class is not imported here, or cannot be made here.

    Attributes:
        type: The name of its class, after that of its module.
        message: Its message.
        remote_traceback: The traceback of the worker as text; None where there is none.
    """

    def __init__(self, type: str, message: str, remote_traceback: str | None = None) -> None:  # noqa: A002 - it is what the API calls it
        super().__init__(type, message, remote_traceback)
        self.type = type
        self.message = message
        self.remote_traceback = remote_traceback

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


class TaskLost(ClientError, BrokenExecutor):
    """Nobody can know how the task ended: its worker or the server died, or its record is gone."""


def refusal(status: int, problem: dict[str, Any]) -> Refused:
    """Return the error for an answer of the server that is none of success."""
    code = str(problem.get("code", ""))
    detail = str(problem.get("detail") or f"the server answered with status {status}")
    known = {"type", "title", "status", "detail", "code"}
    extra = {name: value for name, value in problem.items() if name not in known}
    kind = {"bad_arguments": BadArguments, "unknown_function": UnknownFunction}.get(code, Refused)
    return kind(status, code, detail, extra)
