"""The errors of shared state that a function can meet.

A missing key is a `KeyError`, an index out of range an `IndexError`, and a `with` block that did
not get its lock in time a `TimeoutError`, as everywhere in Python.
"""

from typing import Final


class SharedError(Exception):
    """The root of the errors of shared state."""


class SharedLostError(SharedError):
    """The process that keeps the state died while this task used it: values and locks are gone.

    Another process has taken its place and begins with nothing. The task may be run again.
    """


class SharedUnavailableError(SharedError):
    """Shared state cannot be reached from here, or not at this moment."""


class SharedLimitError(SharedError):
    """There is no room: too many names, too large a value, or too much in all."""


class SharedValueError(SharedError, TypeError):
    """A value is not what can be shared: data as JSON has it."""


class NotHeldError(SharedError):
    """A lock is released by one who lacks it, taken twice by a thread, or deleted while in use."""


CODES: Final[dict[str, type[Exception]]] = {
    "limit": SharedLimitError,
    "value": SharedValueError,
    "not_held": NotHeldError,
    "key": KeyError,
    "index": IndexError,
}
"""The errors that cross from the process that keeps the state, by what they are called there."""
