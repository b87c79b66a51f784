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
    "host_lost": later("host lost"),
}
_MEMORY: Final = re.compile(
    r"(?P<cause>.+), probably out of memory: (?P<most>at most )?(?P<amount>.+)", re.DOTALL
)
_CAUSES: Final = (
    (re.compile(r"exited with code (?P<code>\d+)"), later("exited with code %(code)s")),
    (re.compile(r"(?:was )?killed by (?P<signal>SIG\w+)"), later("killed by %(signal)s")),
    (
        re.compile(r"(?:was )?killed by signal (?P<signal>\d+)"),
        later("killed by signal %(signal)s"),
    ),
)
_STARTS: Final = (
    (
        re.compile(r"a worker (?P<cause>.+) before it was ready"),
        later("a worker %(cause)s before it was ready"),
    ),
    (
        re.compile(r"a worker (?P<cause>.+) while it imported the module (?P<module>\S+)"),
        later("a worker %(cause)s while it imported the module %(module)s"),
    ),
    (
        re.compile(r"a worker could not start: (?P<error>.*)"),
        later("a worker could not start: %(error)s"),
    ),
    (
        re.compile(r"the initializer (?P<name>\S+) failed: (?P<error>.*)"),
        later("the initializer %(name)s failed: %(error)s"),
    ),
    (
        re.compile(r"the module (?P<name>\S+) could not be loaded: (?P<error>.*)"),
        later("the module %(name)s could not be loaded: %(error)s"),
    ),
    (
        re.compile(r"the restart was ended, and workers go on as they were: (?P<start>.*)"),
        later("the restart was ended, and workers go on as they were: %(start)s"),
    ),
)
"""Why a worker did not start, as `pooldeck.pools.exit_cause` and its roster say it."""

_ROLES: Final = {
    "host": later("host"),
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
    if found := _MEMORY.fullmatch(cause):
        amount = found["amount"]
        most = _("at most %(amount)s", amount=amount) if found["most"] else amount
        memory = _("probably out of memory: %(amount)s", amount=most)
        return _("%(cause)s, %(memory)s", cause=cause_words(found["cause"]), memory=memory)
    return cause


def start_words(reason: str) -> str:
    """Return why a worker did not start, its first line in the reader's words; the rest as it is.

    What follows are tracebacks and what it printed.
    """
    first, line, rest = reason.strip().partition("\n")
    return f"{_start(first)}{line}{rest}"


def _start(line: str) -> str:
    for pattern, words in _STARTS:
        if found := pattern.fullmatch(line):
            values = found.groupdict()
            if "cause" in values:
                values["cause"] = cause_words(values["cause"])
            if "start" in values:
                values["start"] = _start(values["start"])
            return _(words, **values)
    return line


def role_word(role: str) -> str:
    """Return the word for a role."""
    return _(_ROLES[role])
