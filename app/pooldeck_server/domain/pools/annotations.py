"""Annotations: what was done to pools and what befell them, as charts mark it."""

from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote

from msgspec import Struct

MAX_REASON: Final = 500
"""Characters."""

Kind: TypeAlias = Literal[
    "start",
    "resize",
    "pause",
    "resume",
    "drain",
    "restart",
    "kill_worker",
    "drain_host",
    "end_host",
    "host_came",
    "host_gone",
    "kill_task",
    "crash",
    "hold",
    "release",
    "pause_function",
    "resume_function",
    "broken",
    "placed",
    "shared_lost",
    "restored",
    "server_drain",
    "server_resume",
]

OF_FUNCTIONS: Final = frozenset({"hold", "release", "pause_function", "resume_function"})
"""The kinds that are about a function, whatever pool it runs in."""


class StoredAnnotation(Struct, frozen=True):
    """A mark in time (microseconds since the epoch).

    `pool` is None where it concerns all of them. `subject` is the worker, the host, the task or the
    function that it is about, and `reason` what a person gave. `data` is what else is known: of a
    start `was_clean` and `down_seconds`, of a resize `before` and `after`, of a killed task its
    `function` and `outcome`, of a crash `incident` and `cause`, of a host
    that is gone `gone_by`, of a hold `deaths`, of a broken
    pool what it `said`, and of a function that was placed in another pool where it was `before`;
    where it was given back, `given_back` is the rule that it had been placed by, where measurements
    moved it there is their `verdict`, and where a move was `undone` the error that it was for. Of a
    word on the tasks of a backup, that `word`, and the `number` of tasks. Of a drain of the server
    and its end who it was `by`, and whether the server `stops` after it.
    """

    at: int
    kind: Kind
    pool: str | None = None
    subject: str | None = None
    data: dict[str, Any] = {}
    reason: str | None = None

    @property
    def href(self) -> str | None:
        """Return the page that tells more, if there is one."""
        if self.kind == "crash":
            return f"/incidents/{self.data['incident']}"
        if self.kind == "placed":
            return f"/functions/{quote(self.subject or '')}"
        return f"/tasks/{self.subject}" if self.kind == "kill_task" else None
