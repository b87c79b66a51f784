"""Who asks: the principal of a request, and what it may do and see.

A role says what somebody may do. Two things narrow it: what has no `values` sees no arguments,
results or messages, and limits leave only the tasks of some functions or pools.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct

PATTERN: Final = r"^[A-Za-z0-9_.*-]+$"
"""What a pattern of a limit looks like: a name, in which `*` stands for anything."""


class Role(StrEnum):
    """What somebody may do; each may do what those before it may, but run hosts."""

    HOST = "host"  # run tasks on another machine, and nothing else
    VIEWER = "viewer"  # look
    OPERATOR = "operator"  # and submit, cancel, retry, change what runs
    ADMIN = "admin"  # and say who may come in, what is deleted, who is told

    def includes(self, other: "Role") -> bool:
        """Tell whether this role may do all that `other` may."""
        if self is other:
            return True
        return other is not Role.HOST and _ORDER.index(self) > _ORDER.index(other)

    @property
    def sees_values(self) -> bool:
        """Tell whether arguments, results and messages are shown to it without more being said."""
        return self.includes(Role.OPERATOR)


_ORDER: Final = tuple(Role)


class Principal(Struct, frozen=True, kw_only=True):
    """Somebody who was let in.

    `functions` and `pools` are patterns: of each that is given, one has to fit a task. `values`
    is whether arguments, results and messages are shown.
    """

    name: str
    role: Role
    values: bool = True
    functions: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()

    @property
    def is_limited(self) -> bool:
        """Tell whether only some functions or pools are for it."""
        return bool(self.functions or self.pools)

    def may_reach(self, function: str, pool: str) -> bool:
        """Tell whether a task of a function in a pool is for it."""
        return fits(self.functions, function) and fits(self.pools, pool)


def fits(patterns: tuple[str, ...], name: str) -> bool:
    """Tell whether a name fits one of the patterns; without any, each does."""
    return not patterns or _expression(patterns).fullmatch(name) is not None


def fitting(patterns: tuple[str, ...], names: Iterable[str]) -> tuple[str, ...]:
    """Return those of some names that fit one of the patterns."""
    return tuple(name for name in names if fits(patterns, name))


@lru_cache(maxsize=1024)
def _expression(patterns: tuple[str, ...]) -> re.Pattern[str]:
    parts = (".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns)
    return re.compile("|".join(parts), re.DOTALL)


def may_run_hosts(principal: Principal, pool: str) -> bool:
    """Tell whether somebody's host may run tasks of a pool: it sees them, and says their results.

    An admin may, who could make a token for that as well.
    """
    return principal.role in {Role.HOST, Role.ADMIN} and fits(principal.pools, pool)


ANYBODY = Principal(name="anybody", role=Role.ADMIN)  # where no token is asked for
# Who has the token of the settings; where none is asked of him, the server's own user.
OWNER = Principal(name="owner", role=Role.ADMIN)
HOSTS = Principal(name="engine", role=Role.HOST, values=False)  # that an engine starts for us
TASKS = Principal(name="tasks", role=Role.OPERATOR)  # what runs in the workers
