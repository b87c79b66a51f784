"""Tasks that fail while the server is ending because somebody ended a program of theirs.

A service manager that ends a whole control group ends the programs of tasks as well, while the
server still waits for those tasks. What they fail with names a signal then, as a rule.
"""

import re
from typing import Final

from msgspec.structs import replace

from pooldeck.outcome import Error

_BY_SIGNAL: Final = re.compile(
    r"\bSIG(?:TERM|INT|HUP|KILL)\b"
    r"|\b(?:code|status) (?:129|130|137|143|-1|-2|-9|-15)\b"  # as shells and `subprocess` say it
)
MEANWHILE: Final = "it failed while the server was stopping and still waited for it"
_OUTSIDE: Final = "It seems that this was done from outside"
_FROM_OUTSIDE: Final = (
    f"{_OUTSIDE}, while the server was stopping and still waited for "
    "this task, as by a service manager that ends a whole control group: with KillMode=mixed it "
    "leaves the ends of tasks to the server."
)


def names_signal(error: Error) -> bool:
    """Tell whether an error is that a program was ended by a signal that asks it to end."""
    return _BY_SIGNAL.search(error.message) is not None


def is_from_outside(message: str) -> bool:
    """Tell by its message whether an error was told of so."""
    return _OUTSIDE in message


def told_of_outside(error: Error) -> Error:
    """Return such an error of a task that failed while the server was ending, as it is told."""
    return replace(error, message=f"{error.message}\n{_FROM_OUTSIDE}")
