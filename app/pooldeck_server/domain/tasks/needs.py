"""What tasks need of a machine beside a slot, and what machines have of it: amounts by name."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec
from msgspec import Struct

from pooldeck.needs import WANTED, are_well_formed, in_words, ordered
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.task import NewTask, QueuedTask, StoredTask

Amounts: TypeAlias = Mapping[str, float]

SLACK = 1e-9
"""What sums of amounts may be over what there is: ten times 0.1 is 1."""


class _Needing(Struct, frozen=True):
    needs: dict[str, float] = {}


class Lack(Struct, frozen=True):
    """Something that no machine of a pool has enough of; `most` is what the best one has."""

    name: str
    needed: float
    most: float


_decode = msgspec.json.Decoder(_Needing).decode


def needs_of(task: NewTask | QueuedTask | StoredTask) -> Amounts:
    """Return what a task needs; nothing for most, at the cost of a look."""
    options = task.options
    if options is None or '"needs"' not in options:
        return {}
    return _decode(options).needs


def checked_needs(wanted: Amounts) -> dict[str, float]:
    """Return what a submission needs in the one order.

    Raises:
        InvalidRequest: If nothing could have such a name.
    """
    if not are_well_formed(wanted):
        raise InvalidRequest(f"needs: {WANTED}; a name has a-z, 0-9 and _", field="/needs")
    return ordered(wanted)


def has_all(has: Amounts, needs: Amounts) -> bool:
    """Tell whether somebody has, or has left, what is needed."""
    return all(has.get(name, 0.0) + SLACK >= amount for name, amount in needs.items())


def lacks(needs: Amounts, machines: Iterable[Amounts]) -> tuple[Lack, ...]:
    """Return what no machine has enough of; nothing where each has something else too little of."""
    there = list(machines)
    most = {name: max((has.get(name, 0.0) for has in there), default=0.0) for name in needs}
    return tuple(
        Lack(name, amount, most[name])
        for name, amount in needs.items()
        if most[name] + SLACK < amount
    )


def lack_words(needs: Amounts, machines: Iterable[Amounts]) -> str:
    """Say in English what no machine has, for the log and for whoever asks what is wrong."""
    missing = lacks(needs, machines)
    if not missing:
        return f"no machine of it has all of this together: {in_words(needs)}"
    return "; ".join(map(_lack_words, missing))


def _lack_words(lack: Lack) -> str:
    if not lack.most:
        return f"no machine of it has {lack.name}"
    needed, most = round(lack.needed, 2), round(lack.most, 2)
    return f"no machine of it has {lack.name} {needed:g}, the most is {most:g}"
