"""Failures that are alike, as one thing: what they have in common, how often, and what of it.

Two failures are alike if they are of the same kind and type, raised in the same place, with the
same message but for what varies in it. Times are microseconds since the epoch.
"""

import re
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.failures.incidents import StoredIncident
from pooldeck_server.domain.failures.raised_at import place_of
from pooldeck_server.domain.terminal_text import plain

_LONGEST_TYPE: Final = 200  # characters
_ID_BYTES: Final = 8
_FROM_OUTSIDE: Final = frozenset({ErrorKind.INTERRUPTED, ErrorKind.BYSTANDER, ErrorKind.HOST_LOST})
_MASKED: Final = 1000  # characters of a message; the rest tells nothing of its kind

MESSAGE_CHARACTERS: Final = 300
"""Characters of a message that is masked."""

_UNNAMED: Final = r"(?<!\w)(?<!attribute )(?<!argument )(?<!module )(?<!name )"
"""Python's own messages name types and attributes in quotes: these say what is wrong, and stay."""

_MASKS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), mask)
    for pattern, mask in (
        (r"\s\s+|[^\S ]|[\x00-\x1f\x7f]", " "),
        (rf"{_UNNAMED}(['\"`])[^'\"`]{{4,}}\1(?!\w| object\b)", "'…'"),
        (r"(://[^\s/'\"`]+)[^\s'\"`]*", r"\1/…"),
        (r"(?<![\w/:<])(?:[a-z]:\\|~?/)[^\s'\"`,;:()]+", "/…"),
        (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "#"),
        (r"\b0x[0-9a-f]+\b|(?<![\w.-])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b", "#"),
        (r"(?:(?<![\w-])[-+])?\d+(?:[.,:_t-]\d+)*(?:e[-+]?\d+)?", "#"),
        (r"(#|'…')(?:[,;]? \1)+", r"\1"),  # however many there are
    )
)

LATELY: Final = 24
"""Hours that lists of groups look back."""


FAILING_MINUTES: Final = 15
"""Minutes up to now in which what fails, fails now."""


class GroupKey(Struct, frozen=True):
    """What failures of a group have in common. `place` is empty where they hit any function."""

    id: str  # 16 hexadecimal digits
    kind: str
    type: str
    place: str
    message: str


def group_of(error: Error, function: str) -> GroupKey:
    """Return the group that a failure belongs to: always the same for the same error.

    Args:
        error: Why the attempt ended; its texts may be anything.
        function: The task's function. It stands for the place where no traceback tells one, unless
            the failure came from outside of it: a server that stops is one failure, not many.
    """
    place = place_of(error.traceback) if error.traceback else None
    if place is None:
        place = "" if error.kind in _FROM_OUTSIDE else function
    return _key(error.kind.value, error.type[:_LONGEST_TYPE], place, masked(error.message))


@lru_cache(maxsize=512)
def _key(kind: str, type_: str, place: str, message: str) -> GroupKey:
    parts = f"{kind}\0{type_}\0{place}\0{message}"
    digest = blake2b(parts.encode(errors="replace"), digest_size=_ID_BYTES)
    return GroupKey(digest.hexdigest(), kind, type_, place, message)


@lru_cache(maxsize=512)
def masked(message: str) -> str:
    """Return a message with its varying parts masked, at most 300 characters of it, no colours.

    Numbers, hexadecimal, UUIDs and times become "#", quoted strings of four characters or more
    "'…'", paths and what follows the host of an address "/…". Lists of such parts become one.
    """
    text = plain(message[:_MASKED])
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.strip()[:MESSAGE_CHARACTERS]


class GroupState(StrEnum):
    """What somebody has decided about a group."""

    OPEN = "open"
    RETURNED = "returned"  # it was fixed, then it came again
    MUTED = "muted"  # counted, but nobody wants to hear of it
    FIXED = "fixed"


class GroupChange(StrEnum):
    """What somebody can decide about a group."""

    MUTE = "mute"
    UNMUTE = "unmute"
    FIX = "fix"
    REOPEN = "reopen"


CHANGES: Final = {
    GroupChange.MUTE: (
        frozenset({GroupState.OPEN, GroupState.RETURNED, GroupState.FIXED}),
        GroupState.MUTED,
    ),
    GroupChange.UNMUTE: (frozenset({GroupState.MUTED}), GroupState.OPEN),
    GroupChange.FIX: (
        frozenset({GroupState.OPEN, GroupState.RETURNED, GroupState.MUTED}),
        GroupState.FIXED,
    ),
    GroupChange.REOPEN: (frozenset({GroupState.FIXED, GroupState.RETURNED}), GroupState.OPEN),
}
"""The states that each change starts from, and the one that it leads to.

Besides, a group that is fixed becomes returned by a failure that started after that.
"""


class StoredErrorGroup(GroupKey, frozen=True):
    """A group as it is kept: `n` failed attempts, the last of them one of the task `last_task`."""

    n: int
    first_seen: int
    last_seen: int
    last_task: str
    state: GroupState
    changed_at: int | None = None  # when its state became what it is; None: it was never changed


class FunctionCount(Struct, frozen=True):
    """How many attempts of a function failed."""

    function: str
    n: int


class GroupReport(Struct, frozen=True):
    """A group with its failures in each of the latest hours, the present one last.

    `functions` are those that failed so within as many hours up to the last failure, the one that
    failed most first.
    """

    group: StoredErrorGroup
    hours: tuple[int, ...]
    functions: tuple[FunctionCount, ...]


class GroupSort(StrEnum):
    """The order of a list of groups: seen last, or counted most, first."""

    SEEN = "seen"
    COUNT = "count"


class GroupFilter(Struct, frozen=True):
    """Which groups a list shows. Values of one field add up, different fields narrow.

    `functions` are those of the groups' reports: what failed so in the day up to the last failure.
    """

    states: tuple[GroupState, ...] = ()
    functions: tuple[str, ...] = ()
    since: int | None = None  # seen then or later
    sort: GroupSort = GroupSort.SEEN


class GroupPage(Struct, frozen=True):
    """One page of a list; `next_cursor` continues it, None at the end."""

    items: tuple[GroupReport, ...]
    next_cursor: str | None


class FailingGroup(Struct, frozen=True):
    """A group that fails now: its failures in the latest `FAILING_MINUTES`, most of them first.

    `minutes` are its failures in each of twice as many minutes, the oldest first, so that what is
    can be compared with what was before it. `pools` are those that it failed in, most often first.
    Where its tasks were only beside the one that took their worker along, `incident` is the latest
    such death, if that is known.
    """

    group: StoredErrorGroup
    minutes: tuple[int, ...]
    pools: tuple[str, ...]
    incident: StoredIncident | None = None

    @property
    def number(self) -> int:
        """Return how often it failed in the latest minutes."""
        return sum(self.minutes[FAILING_MINUTES:])

    @property
    def before(self) -> int:
        """Return how often it failed in as many minutes before these."""
        return sum(self.minutes[:FAILING_MINUTES])

    @property
    def rate(self) -> float:
        """Return its failures per minute."""
        return self.number / FAILING_MINUTES
