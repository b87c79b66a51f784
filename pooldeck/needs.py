"""What a call needs of the machine that it runs on: amounts by name, as `{"gpu": 1}`.

The names are the user's own. `cpus` and `memory_gb` are known of every machine; what else one has
is set where it is started.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

NAME: Final = r"[a-z_][a-z0-9_]{0,31}"
"""What the name of something that a machine has matches."""

MOST_NAMES: Final = 16

MOST: Final = 1e12
"""The largest amount: beyond, adding one to it would not be exact for long."""

CPUS: Final = "cpus"
MEMORY: Final = "memory_gb"

NOTHING: Final[Mapping[str, float]] = {}

GIGABYTE: Final = 1024**3
"""Bytes of one `memory_gb`."""

WANTED: Final = f'names with amounts above 0, as {{"gpu": 1}}, {MOST_NAMES} at most'

_THOUSAND: Final = 1000
_name = re.compile(NAME)


def are_well_formed(needs: Mapping[Any, Any]) -> bool:
    """Tell whether these are amounts by name that something could have."""
    return len(needs) <= MOST_NAMES and all(
        isinstance(name, str)
        and _name.fullmatch(name) is not None
        and isinstance(amount, int | float)
        and not isinstance(amount, bool)
        and math.isfinite(amount)
        and 0 < amount <= MOST
        for name, amount in needs.items()
    )


def ordered(needs: Mapping[str, float]) -> dict[str, float]:
    """Return the same in the one order, with floats: equal needs are then equal texts."""
    return {name: float(needs[name]) for name in sorted(needs)}


def of_machine(cpus: int, memory_bytes: int, has: Mapping[str, float]) -> dict[str, float]:
    """Return what a machine has: what is known of it by itself, and what is set.

    Args:
        cpus: How many it has for this use.
        memory_bytes: Its memory.
        has: What is set, also in the place of what is known.
    """
    return {CPUS: float(cpus), MEMORY: memory_bytes / GIGABYTE, **has}


def in_words(needs: Mapping[str, float]) -> str:
    """Return amounts as people write them: `gpu=1, memory_gb=8`."""
    return ", ".join(f"{name}={amount_in_words(needs[name])}" for name in needs)


def amount_in_words(amount: float) -> str:
    """Return an amount with as many digits as mean something to people."""
    return f"{amount:.4g}" if amount < _THOUSAND else f"{amount:.12g}"
