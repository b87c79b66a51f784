"""Why attempts failed and workers died, and who may do what, in the reader's words."""

import re
from typing import Final

from pooldeck_server.web.text.i18n import _, later

_ERRORS: Final = {
    "exception": later("exception"),
    "timeout": later("timeout"),
    "crashed": later("crashed"),
    "bad_arguments": later("bad arguments"),
    "bad_result": later("bad result"),
    "abandoned": later("abandoned"),
    "bystander": later("bystander"),
    "interrupted": later("interrupted"),
}
_CAUSES: Final = (
    (re.compile(r"exited with code (?P<code>\d+)"), later("exited with code %(code)s")),
    (re.compile(r"killed by (?P<signal>SIG\w+)"), later("killed by %(signal)s")),
)
_ROLES: Final = {
    "viewer": later("viewer"),
    "operator": later("operator"),
    "admin": later("admin"),
}


def error_word(kind: str) -> str:
    """Return the word for a kind of error, as lists of tasks have it."""
    return _(_ERRORS.get(kind, kind.replace("_", " ")))


def cause_words(cause: str) -> str:
    """Return why a worker died; what is not known is as the record has it."""
    for pattern, words in _CAUSES:
        if found := pattern.fullmatch(cause):
            return _(words, **found.groupdict())
    return cause


def role_word(role: str) -> str:
    """Return the word for a role."""
    return _(_ROLES[role])
