"""The numbers behind an advice: a row for each, a column for each kind of pool that it ran in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.advice import Numbers
from pooldeck_server.advice.numbers import numbers_of
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later
from pooldeck_server.web.text.kinds import kind_words


@dataclass(frozen=True)
class EvidenceTable:
    """A table: its heads, and rows of a label with a cell for each head."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def evidence(profiles: Mapping[PoolKind, Profile]) -> EvidenceTable | None:
    """Return what was measured of a function; None where nothing was.

    Args:
        profiles: What was measured in each kind of pool.
    """
    known = [kind for kind in KINDS if kind in profiles]
    if not known:
        return None
    numbers = [numbers_of({kind: profiles[kind]}) for kind in known]
    return EvidenceTable(
        heads=tuple(kind_words(kind).inside for kind in known),
        rows=tuple((_(label), tuple(map(cell, numbers))) for label, cell in _ROWS),
    )


def _seconds(amount: Callable[[Numbers], float | None]) -> Callable[[Numbers], str]:
    return lambda numbers: formats.duration(amount(numbers))


def _bytes(amount: Callable[[Numbers], float | None]) -> Callable[[Numbers], str]:
    def cell(numbers: Numbers) -> str:
        found = amount(numbers)
        return formats.size(None if found is None else max(0, round(found)))

    return cell


def _number(amount: Callable[[Numbers], float]) -> Callable[[Numbers], str]:
    return lambda numbers: formats.rate(amount(numbers))


def _percent(amount: Callable[[Numbers], float]) -> Callable[[Numbers], str]:
    return lambda numbers: formats.percent(100 * amount(numbers))


_ROWS: Final[tuple[tuple[str, Callable[[Numbers], str]], ...]] = (
    (later("Runs so far"), lambda numbers: formats.count(numbers.runs_ever)),
    (later("Wall time, with what ran beside it"), _seconds(lambda numbers: numbers.wall)),
    (later("Time with nothing beside it"), _seconds(lambda numbers: numbers.alone)),
    (later("CPU time"), _seconds(lambda numbers: numbers.cpu)),
    (later("CPU time that needs the GIL"), _seconds(lambda numbers: numbers.gil)),
    (later("Waiting"), _seconds(lambda numbers: numbers.waiting)),
    (later("CPU time of child processes"), _seconds(lambda numbers: numbers.child_cpu)),
    (later("CPU time of other threads"), _seconds(lambda numbers: numbers.helper_cpu)),
    (later("Reading the arguments"), _seconds(lambda numbers: numbers.decode)),
    (later("Writing the result"), _seconds(lambda numbers: numbers.encode)),
    (later("Size of the arguments"), _bytes(lambda numbers: numbers.arguments_bytes)),
    (later("Size of the result"), _bytes(lambda numbers: numbers.result_bytes)),
    (later("Growth of memory"), _bytes(lambda numbers: numbers.memory_growth_bytes)),
    (later("Context switches, waited"), _number(lambda numbers: numbers.voluntary_switches)),
    (later("Context switches, pushed out"), _number(lambda numbers: numbers.involuntary_switches)),
    (later("Other calls in the process"), _number(lambda numbers: numbers.beside)),
    (later("Looks of the probe at its threads"), _number(lambda numbers: numbers.looks)),
    (later("Spread of the wall time"), _percent(lambda numbers: numbers.spread)),
    (later("Wall time lately, of that before"), _percent(lambda numbers: numbers.trend)),
)
