"""Every error that a caller of Pooldeck can meet, on one page.

An error says what happened, to what, and what to do. It knows nothing of HTTP: `web.http.errors`
gives each `code` its status.
"""

from collections.abc import Iterable
from typing import Any, ClassVar


class PooldeckError(Exception):
    """The root. `detail` is for people, `code` for programs, `extra` goes beside them."""

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str, *, retry_after: int | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
        self.extra = extra


class MalformedJson(PooldeckError):
    code = "malformed_json"
    title = "The body is not valid JSON"


class MalformedRequest(PooldeckError):
    code = "malformed_request"
    title = "The request is not valid HTTP"


class Unauthorized(PooldeckError):
    code = "unauthorized"
    title = "Credentials are missing or wrong"


class Forbidden(PooldeckError):
    code = "forbidden"
    title = "This request is not allowed"


class WrongHost(PooldeckError):
    code = "wrong_host"
    title = "This server does not answer to that host name"


class NotFound(PooldeckError):
    code = "not_found"
    title = "There is no such thing"


class MethodNotAllowed(PooldeckError):
    code = "method_not_allowed"
    title = "This call does not take that method"


class Conflict(PooldeckError):
    code = "conflict"
    title = "The state of the thing does not allow this"


class ArgumentsErased(PooldeckError):
    code = "arguments_erased"
    title = "The task's sensitive arguments have been erased"


class TooLarge(PooldeckError):
    code = "too_large"
    title = "The request is too large"


class HeadersTooLarge(PooldeckError):
    code = "headers_too_large"
    title = "The headers of the request are too large"


class UnsupportedMediaType(PooldeckError):
    code = "unsupported_media_type"
    title = "The body must be JSON"


class RequestTimeout(PooldeckError):
    code = "request_timeout"
    title = "The request took too long to arrive"


class InvalidRequest(PooldeckError):
    code = "invalid_request"
    title = "The request is not valid"


class UnknownFunction(PooldeckError):
    code = "unknown_function"
    title = "No function of that name is registered"


class FunctionUnavailable(PooldeckError):
    code = "function_unavailable"
    title = "No worker can run the function at present"


class UnknownPool(PooldeckError):
    code = "unknown_pool"
    title = "There is no pool of that name"


class BadArguments(PooldeckError):
    code = "bad_arguments"
    title = "The arguments do not fit the function"


class IdempotencyMismatch(PooldeckError):
    code = "idempotency_mismatch"
    title = "This idempotency key was used with another body"


class TaskDeleted(PooldeckError):
    code = "task_deleted"
    title = "The task of this idempotency key has been deleted"


class QueueFull(PooldeckError):
    code = "queue_full"
    title = "The pool's queue is full"


class FunctionOnHold(PooldeckError):
    code = "function_on_hold"
    title = "The function is on hold"


class TooManyWrongTokens(PooldeckError):
    code = "too_many_wrong_tokens"
    title = "Too many wrong tokens came from one address"


class TooManyStreams(PooldeckError):
    code = "too_many_streams"
    title = "Too many live streams are open"


class TooManyConnections(PooldeckError):
    code = "too_many_connections"
    title = "Too many connections are open"


class Starting(PooldeckError):
    code = "starting"
    title = "The server is starting"


class Draining(PooldeckError):
    code = "draining"
    title = "The server takes nothing new: it is drained, or shuts down"


class StorageUnavailable(PooldeckError):
    code = "storage_unavailable"
    title = "The database does not take writes at the moment"


class DiskFull(PooldeckError):
    code = "disk_full"
    title = "The disk is full"


class Internal(PooldeckError):
    code = "internal"
    title = "The server met an error of its own"


class StartupError(Exception):
    """The server cannot start; the message is one clear line for the person who started it."""


class CopyError(Exception):
    """A backup cannot be made or put back; the message is one clear line for who asked for it."""


def no_pool(name: str, there: Iterable[str]) -> str:
    """Return what is said where a pool is named that is not among those `there`."""
    return f'there is no pool "{name}"; there are: {", ".join(there)}'
